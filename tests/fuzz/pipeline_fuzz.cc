// Any input through the whole analyser to JSON: no crash, every partition exact, every reference in range.
//
// First byte 255: the rest is a capture file. Otherwise the bytes are events: few sockets and threads, times mostly
// ascending, payload from the input or from a few HTTP heads, so that complete exchanges occur.
#include <cassert>
#include <cstdint>
#include <numeric>
#include <set>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/study/report_json.h"
#include "tests/fuzz/bytes.h"
#include "tests/fuzz/memory_file.h"
#include "tests/unit/spans/spans_case.h"

namespace {

using namespace tailcap;

constexpr std::string_view kTexts[] = {
    "GET /users/17 HTTP/1.1\r\nHost: a\r\n\r\n",
    "POST /x?y HTTP/1.1\r\nContent-Length: 5\r\nX-Request-Id: q\r\n\r\nhello",
    "PUT /u/550e8400-e29b-41d4-a716-446655440000 HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: "
    "100-continue\r\n\r\n",
    "3\r\nabc\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\n",
    "GET /t HTTP/1.1\r\ntraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n\r\n",
};
constexpr std::uint32_t kBase = 0xffffff00u;  // near the wrap

class Events {
 public:
  Events(Bytes in) : in_(in) {}

  std::vector<formats::Event> all() {
    std::vector<formats::Event> events;
    while (!in_.empty() && events.size() < 4096) {
      const std::uint8_t step = in_.byte();
      now_ += step < 240   ? formats::Duration(step)
              : step < 250 ? formats::Duration(std::chrono::milliseconds(step))
                           : -formats::Duration(50);
      const std::uint8_t who = in_.byte();
      const std::uint32_t tid = 1 + who % 3;
      events.push_back({now_, {1 + (tid - 1) / 2, tid}, body(who), who & 128 ? who / 16u : 0u});
    }
    events.push_back({now_, {}, formats::CaptureEnd{formats::CaptureState::truncated}});
    return events;
  }

 private:
  formats::Time back(std::uint8_t by) const { return std::max(formats::time_from(1), now_ - formats::Duration(by)); }

  formats::Body io(formats::SocketId socket, bool out, std::uint8_t flags) {
    formats::Io io;
    io.socket = socket;
    io.direction = out ? formats::Direction::out : formats::Direction::in;
    const std::string_view text = flags & 64 ? in_.text(in_.byte()) : kTexts[in_.byte() % std::size(kTexts)];
    std::uint32_t& at = at_[socket % 4][out];
    io.position = kBase + at + (flags & 32 ? 7 : 0);
    at += static_cast<std::uint32_t>(text.size()) + (flags & 32 ? 7 : 0);
    io.length = static_cast<std::uint32_t>(text.size());
    io.payload = formats::Payload::captured;
    io.head = text.substr(0, flags & 16 ? 10 : text.size());
    io.missed = (flags & 48) == 48 ? 2 : 0;
    if ((flags & 12) == 12) {
      io.payload = formats::Payload::no_buffer;
      io.head = {};
    }
    return io;
  }

  formats::Body body(std::uint8_t who) {
    const std::uint8_t kind = in_.byte(), a = in_.byte(), b = in_.byte();
    const formats::SocketId socket = 1 + who / 3 % 4;
    switch (kind % 13) {
      case 0:
      case 1:
      case 2:
        return io(socket, false, a);
      case 3:
      case 4:
      case 5:
        return io(socket, true, a);
      case 6: {
        formats::SocketInfo info;
        info.socket = socket;
        info.family = a & 1 ? formats::Family::inet : formats::Family::unix_domain;
        info.type = formats::SocketType::stream;
        info.origin = static_cast<formats::Origin>(a / 2 % 5);
        info.state = a & 128 ? formats::TcpState::syn_sent : formats::TcpState::established;
        info.next_in = info.next_out = kBase;
        info.local.port = socket % 2 ? 80 : 999;
        info.remote.port = socket % 2 ? 999 : 80;
        info.inode = socket;
        info.peer_inode = ((socket - 1) ^ 1) + 1;
        return info;
      }
      case 7: {
        formats::OffCpu off;
        off.left = back(a);
        off.runnable = b & 1 ? formats::kNoTime : back(b);
        off.state = b & 2 ? 2 : b & 4 ? 0 : 1;
        off.syscall = static_cast<std::int16_t>(b & 8 ? 202 : b & 16 ? -1 : a);
        off.missed = b & 32 ? 1 : 0;
        off.socket = b & 64 ? socket : 0;
        off.throttled = (b & 128) != 0;
        off.waker = a % 4;
        return off;
      }
      case 8:
        return formats::StateChange{socket, static_cast<formats::TcpState>(a % 13),
                                    static_cast<formats::TcpState>(b % 13), false, a & 64 ? 111 : 0};
      case 9: {
        switch (a % 5) {
          case 0:
            return formats::TaskStart{{1, 1}, "child"};
          case 1:
            return formats::TaskExit{b};
          case 2:
            return formats::Reset{socket, b & 1 ? formats::Direction::out : formats::Direction::in};
          case 3:
            return formats::ClockSnapshot{std::int64_t{b} * 1'000'000'000 * (b & 1 ? 1 : 1'000), 0, {}};
          default:
            return formats::TaskInfo{1, "proc", "proc --arg", {}, {}};
        }
      }
      case 12:
        return seldom(a, b);
      case 10:
        return formats::Arrival{socket, kBase + at_[socket % 4][0], a, static_cast<std::uint16_t>(b & 1)};
      default:
        if (a & 1) return formats::Damage{back(b), a};
        return formats::Loss{back(b), static_cast<formats::LossCause>(a / 2 % 5),
                             static_cast<std::uint8_t>(a & 16 ? 8 : 1), b};
    }
  }

  // Rarer events that labels can come from.
  formats::Body seldom(std::uint8_t a, std::uint8_t b) {
    switch (a % 6) {
      case 0:
        return formats::Stall{static_cast<formats::StallKind>(b % 7), back(a), b, 0};
      case 1:
        return formats::GoRuntime{static_cast<formats::GoPhase>(b % 7), {}};
      case 2:
        return formats::GoState{b % 16u, static_cast<formats::GoRunState>(a / 6 % 4), b & 16 ? "sleep" : "IO wait"};
      case 3:
        return formats::CpuQuota{"/g", {}, {}, b, b, {}};
      case 4:
        return formats::Retransmit{1 + b % 4u, kBase + b, a};
      default:
        return of_go(a / 6, b);
    }
  }

  formats::Body of_go(std::uint8_t a, std::uint8_t b) {
    switch (a % 6) {
      case 1:
        return formats::GoCreate{b % 16u, "main.work", b & 16 ? "main.serve" : ""};
      case 2:
        return formats::GoExit{b % 16u};
      case 3:
        return formats::GoPanic{static_cast<formats::GoPanicStep>(b % 4), "main.serve;main.work"};
      case 4:
        return formats::OomKill{};
      case 5:
        return formats::GoHandler{1, b & 1 ? "main.cart" : "pb._Cart_Get_Handler"};
      default:
        return formats::GoProgram{"/p", "go1.22", "DWARF", {}, 160, b, static_cast<std::uint16_t>(b % 3)};
    }
  }

  Bytes in_;
  formats::Time now_ = formats::time_from(1'000'000'000);
  std::uint32_t at_[4][2] = {};
};

void check(const pipeline::Analysis& analysis) {
  const auto& table = analysis.table;
  assert(analysis.study.quality.findings[model::Finding::partition_mismatch] == 0);
  assert(analysis.wrong.empty());
  assert(analysis.headers.size() == table.rows.size());
  std::string json;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    assert(i == 0 || table.rows.start(i - 1) <= row.start);
    assert(!row.has_duration || row.duration.count() >= 0);
    assert(row.has_duration || !row.has_phases);
    assert(!row.has_phases ||
           std::accumulate(row.phases.begin(), row.phases.end(), std::int64_t{0}) == row.duration.count());
    for (const auto ns : row.phases) assert(ns >= 0);
    json.clear();
    report::append_request(json, table, row, analysis.study.quality.clock);
    assert(json.size() > 2 && json.back() == '}');
  }
  for (const auto& route : analysis.study.routes)
    for (const auto& q : route.latency) {
      assert(q.support == model::Support::refused || q.value.count() >= 0);
      assert(q.support == model::Support::full || !q.reason.empty());
      assert((q.support != model::Support::full && q.support != model::Support::low) ||
             (q.low <= q.value && q.value <= q.high));
    }
  assert(!report::json_report(analysis.study, table).empty());
}

// As spans: each has its own id and is not its own parent.
void check(const spans::Spans& all) {
  std::set<std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>> ids;
  for (const model::Span* span : all.all()) {
    const auto& c = span->context;
    [[maybe_unused]] const bool is_new = ids.emplace(c.trace_high, c.trace_low, c.span).second;
    assert(is_new && c.has_trace() && c.span != 0 && span->parent != c.span);
    assert(span->end >= span->start);
    assert(span->events.size() <= spans::Enrichment::kMaxEvents);
  }
  assert(!all.json().empty());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  pipeline::Options options;
  options.keep_headers = true;
  options.partition = true;
  if (size > 0 && data[0] == 255) {
    options.threads = 1;
    try {
      check(pipeline::analyze(MemoryFile(data + 1, size - 1).path(), options));
    } catch (const std::runtime_error&) {
      // Not a capture at all.
    }
    return 0;
  }
  const std::vector<formats::Event> events = Events(Bytes(data, size)).all();
  check(pipeline::analyze({}, events, options));
  check(*spans::spans_of_events(events));
  return 0;
}
