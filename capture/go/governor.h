// Decides whether probes stay at a place that is hit too often.
//
// A hit costs the program one or a few microseconds of CPU. A place may be hit ten thousand times a second, twenty
// thousand times more, and fifty thousand times more in a burst of up to half a second, so that short bursts are
// recorded completely. Beyond that, the probes are removed except for a short look now and then: enough to know
// what is there, at a cost that the program does not notice (at 100,000 hits a second one percent of the time, and half
// a second at first). Where the kernel shows most of it without a probe, a place may be hit less often. Pure: the input
// is numbers, the output a decision.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tailcap::capture::go {

class Governor {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Turn : std::uint8_t { stay, leave, come_back };

  static constexpr std::uint64_t kBusy = 10'000;      // hits a second
  static constexpr std::uint64_t kBurst = 5 * kBusy;  // hits beyond that before the probes are removed
  static constexpr std::uint64_t kBudget = 500;       // creations where the kernel shows none: with the ends, 1,000
  static constexpr std::uint64_t kSpared = 100;  // … where it shows those that matter to requests; entries of handlers
  static constexpr std::uint64_t kLasting = 2 * kBusy;  // the same for what lasts longer than kSustained
  static constexpr std::chrono::milliseconds kSustained{500};
  static constexpr std::chrono::milliseconds kInterval{50};  // interval between calls, and the length of a look
  static constexpr std::chrono::milliseconds kAway{5000};    // before the first look; before each next, twice as long
  static constexpr std::chrono::milliseconds kLongestAway{80'000};

  // hits: total so far. busy: how many a second are allowed. The decision is assumed to be carried out.
  Turn look(Clock::time_point now, std::uint64_t hits, std::uint64_t busy = kBusy);

 private:
  std::optional<Clock::time_point> last_, away_since_;
  std::chrono::milliseconds away_ = kAway;
  Clock::time_point quiet_;  // when the rate was last not above kBusy
  std::uint64_t hits_ = 0;
  double spare_ = kBurst;  // hits that may still come at once
};

}  // namespace tailcap::capture::go
