// synth-capture TEXT OUT              a capture from text (tests/synth/text.h)
// synth-capture --load REQUESTS [--connections N] [--routes N] [--seed N] OUT
//                                     a generated one; prints its truth, a line of JSON per request
// synth-capture --print CAPTURE       a capture as text
// synth-capture --crafted KIND COUNT OUT  a small one that expands to very much (tests/synth/crafted.h)
// synth-capture --skew NS PPM IN OUT  the same capture from another host and boot, with a clock that is NS ahead at
//                                     the first event and PPM fast
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "analyze/merge/relabel.h"
#include "formats/file/reader.h"
#include "formats/file/writer.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/crafted.h"
#include "tests/synth/load.h"
#include "tests/synth/text.h"

namespace {

using namespace tailcap;

// The writer drops blocks rather than wait for the disk, as a recorder must; a generator can wait.
constexpr std::uint64_t kBurst = 20'000;
constexpr auto kPause = std::chrono::milliseconds(15);

int from_text(const std::string& in, const std::string& out) {
  std::ifstream file(in);
  if (!file)
    throw std::runtime_error(in + ": cannot be opened; give a text file (tests/synth/text.h says of what form)");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const synth::TextCapture capture = synth::parse_text(text, in);
  synth::write_capture(out, capture.preamble, capture.events);
  return 0;
}

int print(const std::string& in) {
  formats::Reader reader(in);
  for (auto events = reader.next(); !events.empty(); events = reader.next()) std::cout << synth::print_text(events);
  return 0;
}

int load(const synth::LoadOptions& options, const std::string& out) {
  synth::Load traffic(options);
  formats::Writer writer(out, synth::plain_preamble(), true);
  formats::Time last = formats::kNoTime;
  std::uint64_t events = 0;
  while (const formats::Event* e = traffic.next()) {
    writer.push(*e);
    writer.tick(last = e->time);
    if (++events % kBurst == 0) std::this_thread::sleep_for(kPause);
    if (const synth::Truth* t = traffic.completed())
      std::printf("{\"connection\":%" PRIu32
                  ",\"method\":\"%s\",\"path\":\"%s\",\"status\":%d,\"request_bytes\":%" PRIu64
                  ",\"response_bytes\":%" PRIu64 ",\"start_ns\":%" PRId64 ",\"duration_ns\":%" PRId64 "}\n",
                  t->connection, t->method.c_str(), t->path.c_str(), t->status, t->request_bytes, t->response_bytes,
                  formats::nanoseconds(t->start), static_cast<std::int64_t>((t->end - t->start).count()));
  }
  const std::uint64_t lost = writer.totals().lost;
  writer.finish(last);
  if (lost > 0)
    throw std::runtime_error(out + ": the writer dropped " + std::to_string(lost) + " events: the disk is too slow");
  return 0;
}

int skew(long double ahead, long double ppm, const std::string& in, const std::string& out) {
  formats::Reader reader(in);
  formats::Preamble preamble = reader.preamble();
  preamble.boot_id = "5c3de000-0000-4000-8000-000000000000";
  preamble.host = "skewed";
  preamble.capture_id = "5c3d" + preamble.capture_id.substr(std::min<std::size_t>(4, preamble.capture_id.size()));
  merge::ClockEstimate clock;
  clock.at = reader.summary().first;
  clock.offset = static_cast<std::int64_t>(ahead);
  clock.drift = ppm / 1e6L;
  merge::Relabel relabel(0, 0, clock, {}, "");
  if (formats::known(preamble.started)) preamble.started = relabel.time(preamble.started);
  formats::Writer writer(out, preamble, true, {.queue_bytes = 64u << 20, .wait = true});
  formats::Time last = formats::kNoTime;
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (formats::Event event : events) {
      const auto kind = formats::kind_of(event);
      if (kind == formats::Kind::capture_end || kind == formats::Kind::damage) continue;
      if (!relabel.apply(event)) throw std::runtime_error(in + ": a merged capture cannot be skewed");
      writer.push(event);
      last = std::max(last, event.time);
    }
  writer.finish(last);
  return 0;
}

int usage() {
  std::cerr << "usage: synth-capture TEXT OUT\n"
               "       synth-capture --load REQUESTS [--connections N] [--routes N] [--seed N] OUT\n"
               "       synth-capture --print CAPTURE\n"
               "       synth-capture --crafted KIND COUNT OUT\n"
               "       synth-capture --skew NS PPM IN OUT\n";
  return 2;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2 && arguments[0] == "--print") return print(arguments[1]);
  if (arguments.size() == 4 && arguments[0] == "--crafted") {
    synth::write_crafted(arguments[1], std::stoull(arguments[2]), arguments[3]);
    return 0;
  }
  if (arguments.size() == 5 && arguments[0] == "--skew")
    return skew(std::stold(arguments[1]), std::stold(arguments[2]), arguments[3], arguments[4]);
  if (arguments.size() >= 3 && arguments[0] == "--load" && arguments.size() % 2 == 1) {
    synth::LoadOptions options;
    options.requests = std::stoull(arguments[1]);
    for (std::size_t i = 2; i + 1 < arguments.size(); i += 2) {
      const std::uint64_t value = std::stoull(arguments[i + 1]);
      if (arguments[i] == "--connections" && value > 0)
        options.connections = static_cast<std::uint32_t>(value);
      else if (arguments[i] == "--routes" && value > 0)
        options.routes = static_cast<std::uint32_t>(value);
      else if (arguments[i] == "--seed")
        options.seed = value;
      else
        return usage();
    }
    return load(options, arguments.back());
  }
  if (arguments.size() == 2 && arguments[0].substr(0, 2) != "--") return from_text(arguments[0], arguments[1]);
  return usage();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run({argv + 1, argv + argc});
  } catch (const std::invalid_argument&) {
    return usage();
  } catch (const std::exception& e) {
    std::cerr << "synth-capture: " << e.what() << "\n";
    return 1;
  }
}
