// A Go service as the recorder sees it: requests served by goroutines, and their calls.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"
#include "tests/unit/causes/cause_of.h"

namespace tailcap::go_service {

using namespace std::chrono_literals;
using formats::GoCallStep;
using model::Cause;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

inline constexpr Thread kA{100, 101}, kB{100, 102};  // a goroutine may run on either thread
inline const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
inline std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

struct GoService {
  Scenario s;
  std::uint16_t ports = 0;

  Endpoint& accepted() {
    Opening o;
    o.thread = kA;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    return s.open(0ms, o);
  }
  Endpoint& connected() {
    Opening o;
    o.thread = kB;
    o.origin = formats::Origin::connected;
    o.local = "10.0.0.1:" + std::to_string(50000 + ports++);
    o.remote = "10.0.0.3:80";
    return s.open(0ms, o);
  }
  void made(Duration at, std::uint64_t creator, std::uint64_t child) {
    s.add(at, kA, formats::GoCreate{child}, creator);
  }
  void handles(Duration at, std::uint64_t goroutine, std::string_view name = "main.work") {
    s.add(at, kB, formats::GoHandler{1, name}, goroutine);
  }
  // A request served by one goroutine from beginning to end.
  void serve(Duration from, Duration to, std::uint64_t goroutine, const std::string& target) {
    accepted().of(goroutine).receive(from, from, get(target)).send(to, kOk);
  }
  // A call by code that sends and reads itself.
  void call(Duration from, Duration to, std::uint64_t goroutine, const std::string& target) {
    connected().of(goroutine).send(from, get(target)).receive(to, to, kOk);
  }
  // A call by net/http: `writer` sends and `reader` reads on behalf of `caller`.
  void call_by_transport(Endpoint& out, Duration from, Duration to, std::uint64_t caller, std::uint64_t writer,
                         const std::string& target) {
    const std::uint64_t connection = 0xc000 + out.socket();
    s.add(from - 20us, kA, formats::GoCall{connection, GoCallStep::asked}, caller);
    s.add(from - 10us, kB, formats::GoCall{connection, GoCallStep::sends}, writer);
    out.of(writer).send(from, get(target));
    out.of(writer - 1).receive(to, to, kOk);
  }

  model::RequestTable table() { return pipeline::analyze(synth::plain_preamble(), s.with_end()).table; }
};

inline std::string told(const model::RequestTable& table, std::string_view target) {
  const Cause cause = cause_of(table, target);
  const std::string parent = parent_of(table, target);
  if (parent.empty()) return "undecided of " + std::to_string(cause.alternatives);
  return std::string(cause.certain ? "certain " : "likely ") + std::string(model::name_of(cause.method)) + " " + parent;
}

}  // namespace tailcap::go_service
