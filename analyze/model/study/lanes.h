// The activity of processes in a window of time, by collector, connection, goroutine and thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/label_group.h"
#include "analyze/model/wire/exchange.h"
#include "formats/time.h"

namespace tailcap::model {

using formats::kNoTime;
using formats::Time;

struct LaneStretch {
  Time from = kNoTime, to = kNoTime;          // within the window
  LabelGroup what = LabelGroup::unexplained;  // goroutine: cpu (running), scheduler (ready to run), causeless (parked)
  std::string note;  // what the state is called, where text_of(what) does not say it: "chan receive"
};

struct LaneMark {
  enum class Kind : std::uint8_t { arrived, read, sent };
  Time at = kNoTime;
  Kind kind = Kind::read;
  std::uint64_t bytes = 0;
};

enum class LaneKind : std::uint8_t { collector, connection, goroutine, thread };
inline constexpr std::size_t kLaneKinds = 4;

struct Lane {
  LaneKind kind = LaneKind::thread;
  std::uint32_t pid = 0;
  std::uint64_t number = 0;            // of the thread, the goroutine, the socket; collector: 0
  std::string name;                    // the program's; a connection's ends; empty: not known
  std::vector<LaneStretch> stretches;  // by time; what lies between them is not known
  std::vector<LaneMark> marks;         // by time
};

struct Lanes {
  Time from = kNoTime, to = kNoTime;
  std::vector<Lane> lanes;                         // by kind, then by when they first did something
  std::array<std::size_t, kLaneKinds> left_out{};  // lanes beyond what is kept: those that did least
  std::array<std::size_t, kLaneKinds> idle{};      // threads and goroutines that waited all the time, and have no lane
  std::size_t stretches_left_out = 0;              // beyond what is kept in memory
  bool lost = false;                               // events were lost in the window
  bool goroutine_states = false;                   // known: recorded with --profile deep
  Time complete_until = formats::kMaxTime;         // what ended later may be beyond what is kept in memory
};

using LaneTimes = std::vector<std::pair<Time, Time>>;

// Ascending, each once.
inline LaneTimes joined_times(LaneTimes times) {
  std::ranges::sort(times);
  LaneTimes out;
  for (const auto& [from, to] : times)
    if (!out.empty() && from <= out.back().second)
      out.back().second = std::max(out.back().second, to);
    else
      out.emplace_back(from, to);
  return out;
}

// What all processes with requests did, and in which times that is known.
struct LaneRecord {
  Lanes lanes;
  LaneTimes times;  // ascending, disjoint
};

// What the processes of a request did while it was under way, and shortly before and after.
struct LanesAround {
  ExchangeId request;
  Lanes lanes;
};

}  // namespace tailcap::model
