// Stacks with the time, samples or bytes spent in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "formats/time.h"

namespace tailcap::model {

// frames: outermost first, joined by ';'. What the kernel did ends with "_[k]".
struct FoldedStack {
  std::string frames;
  std::uint64_t value = 0;  // samples, or nanoseconds
  std::uint64_t typical =
      0;  // of a comparison: the same in the typical requests, as many of them as there are slow ones
  bool operator==(const FoldedStack&) const = default;
};

struct Flame {
  std::string title, subtitle;
  bool time = false;                  // values are nanoseconds; otherwise samples
  bool comparison = false;            // typical counts
  std::vector<FoldedStack> stacks{};  // by frames
  bool bytes = false;                 // values are bytes, not samples
};

// The application's function in which most samples of some requests were, with what it called.
struct HotFunction {
  std::string name;
  std::uint64_t samples = 0, inside = 0;  // of the requests; of these in it
  bool operator==(const HotFunction&) const = default;
};

// The application's function in which some requests spent most of their waits for one thing.
struct WaitingFunction {
  std::string name, caller;             // empty: not the same in most of the time
  std::string called;                   // by it, in which they waited; likewise
  std::uint64_t waits = 0, stacks = 0;  // of the requests, of kLongWait and more; of these with a stack
  std::int64_t time = 0, inside = 0;    // of those with a stack; of these in it
  bool operator==(const WaitingFunction&) const = default;
};
inline constexpr std::int64_t kLongWait = 1'000'000;  // ns; shorter ones have no stack, as a rule

// Where one request was on a CPU, or waited for kLongWait and more: in the innermost function of its application, and
// what that called. The application is what is neither the kernel nor a runtime's own library.
struct RequestFunction {
  bool waited = false;
  bool stacked = false;                  // false: waits of which no stack was taken
  std::string function, called, caller;  // of the application; by it, the innermost last; of the application, too
  std::uint64_t count = 0;               // waits, or different times at which samples were taken
  std::uint64_t value = 0;               // ns, or samples
};

// CPU samples of one request.
struct RequestSamples {
  std::uint64_t count = 0;  // samples
  std::string top;          // the innermost function of most of them
  std::uint64_t of_top = 0;
  std::string stack;  // the stack of most of them; outermost first, joined by ';'
  std::uint64_t of_stack = 0;
  std::optional<HotFunction> function;  // unset: too few samples, or no function is in most of them
  bool operator==(const RequestSamples&) const = default;
};

// One request in a picture of a trace.
struct TraceSpan {
  enum class Kind : std::uint8_t { served, made, failed };
  formats::Time begin = formats::kNoTime;
  formats::Duration duration{};
  std::uint32_t depth = 0;  // in the tree of requests; the first: 0
  Kind kind = Kind::served;
  std::string name, told;  // its label; its tooltip
};

struct TraceFlame {
  std::string title, subtitle;
  std::vector<TraceSpan> spans;  // each before what it caused
  formats::Duration length{};    // from the first begin to the last end
  std::uint32_t levels = 0;
};

}  // namespace tailcap::model
