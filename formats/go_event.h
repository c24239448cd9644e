// What Go's runtime is seen to do. Event::goroutine is who does it.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/time.h"

namespace tailcap::formats {

// Event::goroutine made the goroutine `child`. Event::goroutine 0: the runtime did, or it is not known.
struct GoCreate {
  std::uint64_t child = 0;
  bool operator==(const GoCreate&) const = default;
};

enum class GoPhase : std::uint8_t {
  gc_begin = 0,
  gc_end = 1,
  stop_begin = 2,  // somebody wants the world stopped; reason says for what, where the version tells
  stopped = 3,     // it is
  started = 4,     // it runs again
  assist = 5,      // Event::goroutine was made to work for the collector
  unknown = 255
};
struct GoRuntime {
  GoPhase phase = GoPhase::gc_begin;
  std::string_view reason{};
  bool operator==(const GoRuntime&) const = default;
};

// `goroutine` changed its state. Only in the deep profile.
enum class GoRunState : std::uint8_t {
  parked = 0,   // by itself; reason in Go's own words: "chan receive"
  ready = 1,    // Event::goroutine made it ready; 0: the runtime did
  running = 2,  // on Event::thread
  unknown = 255
};
struct GoState {
  std::uint64_t goroutine = 0;
  GoRunState state = GoRunState::parked;
  std::string_view reason{};
  bool operator==(const GoState&) const = default;
};

// Event::goroutine entered an http.Handler's ServeHTTP, or a handler function.
struct GoHandler {
  std::uint64_t address = 0;  // of the function, in the process
  std::string_view name{};    // "main.(*Cart).ServeHTTP"; empty: not known
  bool operator==(const GoHandler&) const = default;
};

// A request of Go's HTTP client (HTTP/1) on its way from who wants it to the goroutine that sends what goes over its
// connection. `connection` is the program's own object, an address: it means this connection until it is used anew.
enum class GoCallStep : std::uint8_t {
  asked = 0,  // Event::goroutine wants its request sent on this connection, which nobody else uses until it is answered
  sends = 1,  // Event::goroutine is about to send on it
  unknown = 255
};
struct GoCall {
  std::uint64_t connection = 0;
  GoCallStep step = GoCallStep::asked;
  bool operator==(const GoCall&) const = default;
};

// What can be told of process Event::thread.pid, which is a Go program. Bits of parts.
enum class GoPart : std::uint8_t { goroutines = 1, creation = 2, runtime = 4, states = 8, handlers = 16, calls = 32 };
struct GoProgram {
  std::string_view path{}, version{};
  std::string_view offsets_from{};  // "DWARF", "table"; empty: none were found
  std::string_view unsupported{};   // what cannot be told and why; empty: nothing
  std::uint16_t goid_offset = 0;    // in runtime.g
  std::uint8_t parts = 0;
  bool operator==(const GoProgram&) const = default;
};

}  // namespace tailcap::formats
