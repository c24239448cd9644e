// Decides whether probes stay at a place that is hit too often.
//
// A hit costs the program one or a few microseconds of CPU. A place may be hit ten thousand times a second, twenty
// thousand times more, and fifty thousand times more in a burst of up to half a second, so that short bursts are
// recorded completely. Beyond that, the probes are removed except for a short look every few seconds: enough to know
// what is there, at a cost that the program does not notice (at 100,000 hits a second one percent of the time, and half
// a second at first). Pure: the input is numbers, the output a decision.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tailcap::capture::go {

class Governor {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Turn : std::uint8_t { stay, leave, come_back };

  static constexpr std::uint64_t kBusy = 10'000;             // hits a second
  static constexpr std::uint64_t kBurst = 5 * kBusy;         // hits beyond that before the probes are removed
  static constexpr std::uint64_t kBurstOfLook = kBusy / 20;  // the same after they are placed again
  static constexpr std::uint64_t kLasting = 2 * kBusy;       // the same for what lasts longer than kSustained
  static constexpr std::chrono::milliseconds kSustained{500};
  static constexpr std::chrono::milliseconds kInterval{50};  // interval between calls, and the length of a look
  static constexpr std::chrono::milliseconds kAway{5000};

  // hits: total so far. The decision is assumed to be carried out.
  Turn look(Clock::time_point now, std::uint64_t hits);

 private:
  std::optional<Clock::time_point> last_, away_since_;
  Clock::time_point quiet_;  // when the rate was last not above kBusy
  std::uint64_t hits_ = 0;
  double spare_ = kBurst;  // hits that may still come at once
};

}  // namespace tailcap::capture::go
