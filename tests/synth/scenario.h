// Builds events by hand: connections, their bytes, off-CPU intervals. It owns every byte that the events point to.
//
// Times are relative to the scenario's start. Events come out in time order (equal times: in the order of adding);
// `as_added` keeps the order of the calls, for captures with events of several CPUs out of order. The scenario must
// outlive the events.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/event.h"
#include "tests/synth/endpoint.h"

namespace tailcap::synth {

using formats::Duration;
using formats::Event;
using formats::Thread;
using formats::Time;

inline constexpr Time kStart = formats::time_from(1'000'000'000'000);

struct Off {
  Duration left{}, runnable{}, on{};  // runnable == left: preempted; negative: wake-up not seen
  std::int16_t syscall = -1;
  std::uint32_t state = 1;
  std::uint32_t waker = 0;
  std::uint64_t argument0 = 0, argument1 = 0;
};

class Scenario {
 public:
  Scenario() = default;
  Scenario(const Scenario&) = delete;
  Scenario& operator=(const Scenario&) = delete;

  // One end of a connection. The reference lives as long as the scenario.
  Endpoint& open(Duration at, const Opening& opening = {});
  // Both ends of one connection on this host: {client, server}. Sequence numbers and addresses (inodes) match.
  std::pair<Endpoint&, Endpoint&> loopback(Duration at, const Opening& client, Thread server);

  void off_cpu(Thread thread, const Off& off);
  void start(Duration at, Thread thread, Thread parent, std::string_view comm);
  void exit(Duration at, Thread thread, int code = 0);
  void task(Duration at, Thread thread, std::string_view comm, std::string_view command_line = {});
  void clock(Duration at, std::int64_t realtime);
  void loss(Duration since, Duration at, formats::Kind kind, std::uint64_t count,
            formats::LossCause cause = formats::LossCause::ring_full);
  void add(Duration at, Thread thread, formats::Body body, std::uint64_t goroutine = 0);

  // Payload kept of every send and receive: if it is longer than head + tail, its middle is cut out.
  void keep_payload(std::size_t head, std::size_t tail) {
    head_limit_ = head;
    tail_limit_ = tail;
  }

  std::string_view own(std::string_view bytes);
  std::pair<std::string_view, std::string_view> cut(std::string_view bytes);  // head and tail, owned
  formats::SocketId next_socket() { return ++sockets_; }

  const std::vector<Event>& as_added() const { return events_; }
  std::vector<Event> events() const;    // in order of time
  std::vector<Event> with_end() const;  // and a CaptureEnd after them
  Time last() const;

 private:
  std::vector<Event> events_;
  std::deque<std::string> bytes_;
  std::deque<Endpoint> endpoints_;
  std::size_t head_limit_ = 1u << 20, tail_limit_ = 16;
  formats::SocketId sockets_ = 0;
};

}  // namespace tailcap::synth
