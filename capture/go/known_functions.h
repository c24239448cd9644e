// The functions of Go's runtime and of its HTTP and gRPC clients in which probes are placed, by name.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "bpf/event.h"
#include "formats/go_event.h"

namespace tailcap::capture::go {

using formats::GoPart;
using formats::GoPhase;

inline constexpr std::uint8_t kBelowOrEqual = 6;     // the hardware's number of the condition of Go's stack check
inline constexpr std::uint64_t kMaxCode = 1u << 16;  // bytes of a function that are read

// A function with a probe at its beginning.
struct Known {
  std::string_view name;
  GoPart part;
  bpf::go_act act;
  int arguments;  // how many registers the kernel program reads
  GoPhase phase;
};

inline constexpr std::array kAlways = {
    Known{"runtime.gcBgMarkStartWorkers", GoPart::runtime, bpf::GO_PHASE, 0, GoPhase::gc_begin},  // once per cycle
    Known{"runtime.gcSweep", GoPart::runtime, bpf::GO_PHASE, 0, GoPhase::gc_end},                 // marking is over
    Known{"runtime.gcAssistAlloc1", GoPart::runtime, bpf::GO_ASSIST, 1, GoPhase::assist},
    Known{"runtime.stopTheWorldWithSema", GoPart::runtime, bpf::GO_PHASE, 1, GoPhase::stop_begin},
};
inline constexpr std::array kStates = {
    Known{"runtime.gopark", GoPart::states, bpf::GO_PARK, 3, GoPhase::unknown},
    Known{"runtime.ready", GoPart::states, bpf::GO_READY, 1, GoPhase::unknown},
    Known{"runtime.execute", GoPart::states, bpf::GO_RUN, 1, GoPhase::unknown},
};
// The HTTP client passes a request to the goroutine of its connection, which sends it.
inline constexpr std::array kCalls = {
    Known{"net/http.(*persistConn).roundTrip", GoPart::calls, bpf::GO_ASKED, 1, GoPhase::unknown},
    Known{"net/http.persistConnWriter.Write", GoPart::calls, bpf::GO_SENDS, 1, GoPhase::unknown},
};
// The goroutine that makes a gRPC call queues it. All frames are queued there, so only the creation of a stream counts.
// The goroutine that sends everything on the connection sends its header fields.
inline constexpr std::string_view kGrpcCall = "google.golang.org/grpc/internal/transport.(*http2Client).NewStream";
inline constexpr std::string_view kGrpcQueue =
    "google.golang.org/grpc/internal/transport.(*controlBuffer).executeAndPut";
inline constexpr Known kGrpcWrites{"google.golang.org/grpc/internal/transport.(*loopyWriter).headerHandler",
                                   GoPart::calls, bpf::GO_WRITES, 2, GoPhase::unknown};
// The last function called for a goroutine: since Go 1.22, and before.
inline constexpr std::array kEnded = {Known{"runtime.gdestroy", GoPart::ends, bpf::GO_ENDED, 1, GoPhase::unknown},
                                      Known{"runtime.goexit0", GoPart::ends, bpf::GO_ENDED, 1, GoPhase::unknown}};
inline constexpr std::array kPanics = {
    Known{"runtime.gopanic", GoPart::panics, bpf::GO_PANICS, 0, GoPhase::unknown},
    Known{"runtime.fatalpanic", GoPart::panics, bpf::GO_FATAL, 0, GoPhase::unknown},
    Known{"runtime.throw", GoPart::panics, bpf::GO_THROWN, 0, GoPhase::unknown},
    Known{"runtime.fatal", GoPart::panics, bpf::GO_THROWN, 0,
          GoPhase::unknown},  // errors of the program: since Go 1.19
};
// Functions in which a goroutine yields and is preempted; or both in one, which since Go 1.22 has a parameter for it.
inline constexpr Known kYields{"runtime.gosched_m", GoPart::states, bpf::GO_YIELDED, 1, GoPhase::unknown};
inline constexpr Known kPreempted{"runtime.gopreempt_m", GoPart::states, bpf::GO_PREEMPTED, 1, GoPhase::unknown};
inline constexpr Known kEither{"runtime.goschedImpl", GoPart::states, bpf::GO_YIELDED, 2, GoPhase::unknown};
// A probe is placed at the end of these.
inline constexpr std::array kEnds = {std::pair{std::string_view("runtime.stopTheWorldWithSema"), GoPhase::stopped},
                                     std::pair{std::string_view("runtime.startTheWorldWithSema"), GoPhase::started}};

}  // namespace tailcap::capture::go
