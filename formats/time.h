// Points in time and spans between them, in nanoseconds.
//
// Every timestamp in a capture is CLOCK_MONOTONIC of the recorded machine; wall-clock time is derived
// from the clock snapshots (formats/event.h) only where something is printed.
#pragma once

#include <chrono>
#include <cstdint>

namespace tailcap::formats {

// The monotonic clock of the machine that was recorded. It cannot be read, only recorded.
struct CaptureClock {
  using rep = std::int64_t;
  using period = std::nano;
  using duration = std::chrono::nanoseconds;
  using time_point = std::chrono::time_point<CaptureClock, duration>;
  static constexpr bool is_steady = true;
};

using Duration = CaptureClock::duration;
using Time = CaptureClock::time_point;

// "Not observed". No event can happen at boot itself.
inline constexpr Time kNoTime{};

// Every Time in a capture lies in [0, kMaxTime] (146 years) and every Duration too, so that differences never overflow:
// the writer refuses others, the reader takes a block that holds others for damaged.
inline constexpr Time kMaxTime{Duration{std::int64_t{1} << 62}};

constexpr bool within_range(Time t) { return t >= kNoTime && t <= kMaxTime; }
constexpr bool known(Time t) { return t != kNoTime; }
constexpr std::int64_t nanoseconds(Time t) { return t.time_since_epoch().count(); }
constexpr Time time_from(std::int64_t ns) { return Time{Duration{ns}}; }

}  // namespace tailcap::formats
