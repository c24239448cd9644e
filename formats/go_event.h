// Events of Go's runtime. Event::goroutine is the goroutine that acts.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/time.h"

namespace tailcap::formats {

// Event::goroutine made the goroutine `child`. Event::goroutine is 0 if the runtime made it, or if the maker is not
// known.
struct GoCreate {
  std::uint64_t child = 0;
  std::string_view function{};  // the function that it runs: "main.(*Cart).refill", "main.main.func1"; empty: not known
  std::string_view from{};      // the function that contains the go statement; empty: not known
  bool operator==(const GoCreate&) const = default;
};

// The goroutine ended. The thread's own goroutine (g0) executes the end, so Event::goroutine is 0.
struct GoExit {
  std::uint64_t goroutine = 0;
  bool operator==(const GoExit&) const = default;
};

// Event::goroutine panicked. Many panics are recovered (net/http recovers those of handlers). A panic that ends the
// process is followed by fatal.
enum class GoPanicStep : std::uint8_t {
  began = 0,
  fatal = 1,  // no function recovers it: the process will end
  thrown =
      2,  // the runtime itself gives up, which cannot be recovered: a deadlock, a map written by two goroutines at once
  unknown = 255
};
struct GoPanic {
  GoPanicStep step = GoPanicStep::began;
  std::string_view stack{};  // as Sample::user, from the function that panicked on; empty: not known
  bool operator==(const GoPanic&) const = default;
};

enum class GoPhase : std::uint8_t {
  gc_begin = 0,
  gc_end = 1,
  stop_begin = 2,  // a stop-the-world was requested; reason says for what, where the version reports it
  stopped = 3,     // the world is stopped
  started = 4,     // the world runs again
  assist = 5,      // Event::goroutine had to assist the collector
  unknown = 255
};
struct GoRuntime {
  GoPhase phase = GoPhase::gc_begin;
  std::string_view reason{};
  bool operator==(const GoRuntime&) const = default;
};

// `goroutine` changed its state. Only in the deep profile.
enum class GoRunState : std::uint8_t {
  parked = 0,   // by itself; reason as Go names it: "chan receive"
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
  bool grpc =
      false;  // a method of gRPC; older recorders name the generated function that calls it: "pb._Cart_Get_Handler"
  bool operator==(const GoHandler&) const = default;
};

// A request of Go's HTTP client (HTTP/1) on its way from the goroutine that makes it to the goroutine that writes to
// the connection. `connection` is the address of the program's own object: it identifies this connection until the
// address is reused. For gRPC, `connection` is the address of the item to be sent: the header fields that begin a call,
// begin an answer or end one.
enum class GoCallStep : std::uint8_t {
  asked = 0,   // Event::goroutine wants its request sent on this connection, which no other uses until it is answered
  sends = 1,   // Event::goroutine is about to send on it
  queues = 2,  // gRPC: Event::goroutine wants this sent
  writes = 3,  // gRPC: Event::goroutine, the connection's only writer, is about to send it on `stream`
  unknown = 255
};
struct GoCall {
  std::uint64_t connection = 0;
  GoCallStep step = GoCallStep::asked;
  std::uint32_t stream = 0;  // HTTP/2's number; 0: not known
  bool operator==(const GoCall&) const = default;
};

// Event::goroutine moved a value through a channel. Only in the deep profile. The events of one channel are in the
// order in which they happened. Values without a size (struct{}) are not recorded.
enum class GoChannelStep : std::uint8_t {
  gave = 0,       // to `partner`, which waited for a value
  fetched = 1,    // from `partner`, which waited to send it; the channel has no buffer
  put = 2,        // into `slot` of the buffer
  took = 3,       // out of `slot`
  exchanged = 4,  // out of `slot`, which then received the value that `partner` waited to send
  unknown = 255
};
struct GoChannel {
  std::uint64_t channel = 0;  // its address; 0: not known (select)
  std::uint64_t slot = 0;     // address; 0: not known
  std::uint64_t partner = 0;  // goroutine
  GoChannelStep step = GoChannelStep::gave;
  bool operator==(const GoChannel&) const = default;
};

// Allocations of process Event::thread.pid since the previous reading, of one size class. Opt-in.
struct GoAllocations {
  std::uint64_t least =
      0;  // bytes of the smallest that is counted here, a power of two or 0; the largest has less than twice that
  std::uint64_t count = 0, bytes = 0;
  bool operator==(const GoAllocations&) const = default;
};

// The heap of process Event::thread.pid, as its runtime has it in memory; about once a second.
struct GoHeap {
  std::uint64_t limit = 0;   // bytes: GOMEMLIMIT, or what the program set since; 0: there is none
  std::int32_t percent = 0;  // GOGC, likewise; below 0: off
  std::uint64_t used = 0;    // bytes of objects, also of those that no collection has freed yet; 0: not known
  std::uint64_t live = 0;    // bytes that the last collection left; 0: not known, or there was none
  bool operator==(const GoHeap&) const = default;
};

// What is known about process Event::thread.pid, which is a Go program. Bits of parts.
enum class GoPart : std::uint8_t {
  goroutines = 1,
  creation = 2,
  runtime = 4,
  states = 8,
  handlers = 16,
  calls = 32,
  ends = 64,     // GoExit
  panics = 128,  // GoPanic
};
struct GoProgram {
  std::string_view path{}, version{};
  std::string_view offsets_from{};  // "DWARF", "table"; empty: none were found
  std::string_view unsupported{};   // the parts that cannot be recorded and why; empty: none
  std::uint16_t goid_offset = 0;    // in runtime.g
  std::uint8_t parts = 0;
  std::uint16_t processors = 0;  // GOMAXPROCS; 0: not known
  bool operator==(const GoProgram&) const = default;
};

// The build information of a Go program, once for each program file: the lines that `go version -m` prints after the
// version, without their indentation ("dep\tgolang.org/x/net\tv0.7.0\th1:…"). Event::thread.pid is a process that runs
// the program.
struct GoBuild {
  std::string_view path{};  // as GoProgram's
  std::string_view lines{};
  bool operator==(const GoBuild&) const = default;
};

}  // namespace tailcap::formats
