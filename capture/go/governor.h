// Whether the kernel programs stay at a place that is passed too often.
//
// A hit costs the program one or a few microseconds of its CPU. A place may be passed ten thousand times a second, and
// fifty thousand times more in a burst, so that what is passed often for a moment is known whole; what is passed more
// is left alone but for a short look every few seconds: enough to know what is there, and nothing that the program
// would feel (at 100,000 hits a second one percent of the time, and half a second at first). Pure: numbers in, a
// decision out.
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
  static constexpr std::uint64_t kBurst = 5 * kBusy;         // hits beyond that before it is left
  static constexpr std::uint64_t kBurstOfLook = kBusy / 20;  // the same after it came back
  static constexpr std::chrono::milliseconds kInterval{50};  // ask this often; a look takes as long
  static constexpr std::chrono::milliseconds kAway{5000};

  // hits: so far. What is decided is taken as done.
  Turn look(Clock::time_point now, std::uint64_t hits);

 private:
  std::optional<Clock::time_point> last_, away_since_;
  std::uint64_t hits_ = 0;
  double spare_ = kBurst;  // hits that may still come at once
};

}  // namespace tailcap::capture::go
