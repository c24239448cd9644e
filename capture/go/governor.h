// Whether the kernel programs stay at a place that is passed too often.
//
// A hit costs the program a few microseconds of its CPU. What passes ten thousand times a second, for longer than a moment, is left
// alone but for a short look every few seconds: enough to know what is there, and nothing that the program would feel.
// Pure: numbers in, a decision out.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace tailcap::capture::go {

class Governor {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Turn : std::uint8_t { stay, leave, come_back };

  static constexpr std::uint64_t kBusy = 10'000;                     // hits a second
  static constexpr std::chrono::milliseconds kInterval{250};         // ask this often
  static constexpr std::chrono::milliseconds kPatience{1000};        // a burst is not worth the change
  static constexpr std::chrono::milliseconds kAway{5000};

  // hits: so far. What is decided is taken as done.
  Turn look(Clock::time_point now, std::uint64_t hits);

 private:
  std::optional<Clock::time_point> last_, busy_since_, away_since_;
  std::uint64_t hits_ = 0;
  bool short_look_ = false;
};

}  // namespace tailcap::capture::go
