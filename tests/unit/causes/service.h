// A process that serves requests and makes calls.
#pragma once

#include <string>

#include "analyze/pipeline/pipeline.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::service {

using namespace std::chrono_literals;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

inline constexpr std::int16_t kEpollWait = 232, kRecvfrom = 45;
inline const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

inline std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}

// Requests to one process, and its calls to others.
struct Service {
  Scenario s;
  std::uint16_t ports = 0;

  Endpoint& accepted(Thread thread) {
    Opening o;
    o.thread = thread;
    o.remote = "10.0.0.2:" + std::to_string(40000 + ports++);
    return s.open(0ms, o);
  }
  Endpoint& connected(Thread thread) {
    Opening o;
    o.thread = thread;
    o.origin = formats::Origin::connected;
    o.local = "10.0.0.1:" + std::to_string(50000 + ports++);
    o.remote = "10.0.0.3:80";
    return s.open(0ms, o);
  }
  void blocked(Thread thread, Duration from, Duration to, std::int16_t syscall = kRecvfrom) {
    s.off_cpu(thread, {.left = from, .runnable = to, .on = to, .syscall = syscall});
  }
  model::RequestTable table() { return pipeline::analyze(synth::plain_preamble(), s.with_end()).table; }
};

inline constexpr Thread kWorker{100, 101}, kOtherWorker{100, 102};

}  // namespace tailcap::service
