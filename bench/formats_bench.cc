// The cost of the file per event: the recorder's push with all that it triggers, the reader's decoding, and bytes.
//
// The load is like nginx's under wrk: 64 connections; a request has an arrival, a receive with its head, two sends (the
// response's head, the body by sendfile), and sometimes an off-CPU interval. Connections come in random order, times
// are random. CPU time is that of the process, including the writer's own thread.
#include <benchmark/benchmark.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <deque>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "formats/file/reader.h"
#include "formats/file/writer.h"

namespace {

using namespace tailcap::formats;

enum class Payloads : std::int64_t { same, id_in_each, none };

class Load {
 public:
  explicit Load(Payloads payloads) : payloads_(payloads) {
    std::mt19937_64 random(1);
    std::exponential_distribution<double> gap(1 / 2000.0);  // 500,000 events a second
    std::int64_t now = 1'000'000'000;
    const Thread worker{4711, 4711};
    std::vector<std::uint32_t> in(64, 100'000), out(64, 200'000);
    const auto next = [&] { return time_from(now += 1 + static_cast<std::int64_t>(gap(random))); };
    for (std::uint64_t i = 0; i < kRequests; ++i) {
      const std::size_t c = random() % 64;
      const SocketId socket = 9000 + 3 * c;
      const auto request = text(
          "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: wrk/4.1.0\r\nAccept: */*\r\nX-Request-Id: ",
          i, random);
      const auto response = text(
          "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 08:00:00 GMT\r\nContent-Type: "
          "text/html\r\n"
          "Content-Length: 256\r\nLast-Modified: Thu, 19 Nov 2026 12:00:00 GMT\r\nConnection: keep-alive\r\nX-Id: ",
          i, random);
      const Payload payload = payloads_ == Payloads::none ? Payload::off : Payload::captured;
      events_.push_back({next(), {}, Arrival{socket, in[c], 140, 0}});
      events_.push_back({next(), worker, Io{socket, Direction::in, payload, false, 45, 0, 0, 140, in[c], request, {}}});
      events_.push_back(
          {next(), worker, Io{socket, Direction::out, payload, false, 20, 0, 0, 245, out[c], response, {}}});
      events_.push_back(
          {next(), worker, Io{socket, Direction::out, Payload::no_buffer, false, 40, 0, 0, 256, out[c] + 245, {}, {}}});
      in[c] += 140;
      out[c] += 501;
      if (i % 2 == 0) {
        const Time back = next();
        events_.push_back({back, worker,
                           OffCpu{back - Duration{5000 + static_cast<std::int64_t>(random() % 60'000)},
                                  back - Duration{300 + static_cast<std::int64_t>(random() % 4000)}, 4800, 1, 232, 0, 8,
                                  0x55d0'1234'5678}});
      }
    }
    span_ = Duration{now};
  }

  // The i-th event; the load repeats with later times and higher positions.
  Event at(std::uint64_t i) const {
    Event event = events_[i % events_.size()];
    const std::uint64_t turn = i / events_.size();
    event.time += turn * span_;
    if (auto* off = std::get_if<OffCpu>(&event.body)) {
      off->left += turn * span_;
      off->runnable += turn * span_;
    }
    return event;
  }
  std::size_t size() const { return events_.size(); }

 private:
  static constexpr std::uint64_t kRequests = 50'000;

  std::string_view text(std::string_view head, std::uint64_t i, std::mt19937_64& random) {
    if (payloads_ == Payloads::none) return {};
    char id[40];
    std::snprintf(id, sizeof id, "%016llx\r\n\r\n",
                  static_cast<unsigned long long>(payloads_ == Payloads::same ? 7 : random()));
    if (payloads_ == Payloads::same && i > 0) return head[0] == 'G' ? texts_[0] : texts_[1];
    texts_.push_back(std::string(head) + id);
    return texts_.back();
  }

  Payloads payloads_;
  std::vector<Event> events_;
  std::deque<std::string> texts_;
  Duration span_{};
};

double process_cpu_ns() {
  rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  const auto ns = [](const timeval& t) {
    return 1e9 * static_cast<double>(t.tv_sec) + 1e3 * static_cast<double>(t.tv_usec);
  };
  return ns(usage.ru_utime) + ns(usage.ru_stime);
}

std::string bench_file() {
  return (std::filesystem::temp_directory_path() / ("tailcap-formats-bench-" + std::to_string(getpid()) + ".tcap"))
      .string();
}

constexpr std::uint64_t kEvents = 2'000'000;

void write_file(const Load& load, const std::string& path, WriterTotals& totals) {
  Writer writer(path, Preamble{}, true);
  for (std::uint64_t i = 0; i < kEvents; ++i) writer.push(load.at(i));
  writer.finish(kMaxTime);
  totals = writer.totals();
}

// Only the loop and the making of events, to be subtracted from the figures of push.
void make(benchmark::State& state) {
  const Load load(static_cast<Payloads>(state.range(0)));
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kEvents; ++i) {
      Event event = load.at(i);
      benchmark::DoNotOptimize(event);
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kEvents));
}

void push(benchmark::State& state) {
  const Load load(static_cast<Payloads>(state.range(0)));
  const auto path = bench_file();
  WriterTotals totals;
  const double before = process_cpu_ns();
  for (auto _ : state) write_file(load, path, totals);
  const double events = static_cast<double>(kEvents) * static_cast<double>(state.iterations());
  state.counters["cpu_ns/event"] = (process_cpu_ns() - before) / events;
  state.counters["bytes/event"] = static_cast<double>(totals.file_bytes) / static_cast<double>(kEvents);
  state.counters["raw/event"] = static_cast<double>(totals.raw_bytes) / static_cast<double>(kEvents);
  state.counters["lost"] = static_cast<double>(totals.lost);
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  std::filesystem::remove(path);
}

void read(benchmark::State& state) {
  const Load load(static_cast<Payloads>(state.range(0)));
  const auto path = bench_file();
  WriterTotals totals;
  write_file(load, path, totals);
  const double before = process_cpu_ns();
  std::uint64_t events = 0;
  for (auto _ : state) {
    Reader reader(path, {static_cast<unsigned>(state.range(1))});
    for (auto span = reader.next(); !span.empty(); span = reader.next()) {
      for (const Event& event : span) benchmark::DoNotOptimize(event.time);
      events += span.size();
    }
  }
  state.counters["cpu_ns/event"] = (process_cpu_ns() - before) / static_cast<double>(events);
  state.SetItemsProcessed(static_cast<std::int64_t>(events));
  std::filesystem::remove(path);
}

BENCHMARK(make)->ArgName("payloads")->DenseRange(0, 2)->Unit(benchmark::kMillisecond);
BENCHMARK(push)->ArgName("payloads")->DenseRange(0, 2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(read)
    ->ArgNames({"payloads", "threads"})
    ->ArgsProduct({{0, 1, 2}, {1, 2}})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
