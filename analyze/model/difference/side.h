// One capture, or a part of it, as one side of `tailcap diff`.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/model/study/flame.h"
#include "analyze/model/study/study.h"
#include "analyze/model/study/topology.h"

namespace tailcap::model::difference {

// What the report says of a route.
struct ReportedRoute {
  Quantile p50, p99;
  std::vector<std::int64_t> over_time;  // ns, the medians of windows of time; -1: no request
  ExchangeId slowest;                   // connection 0: none
  std::int64_t longest = 0;             // ns, its duration
};

// A fact about where and how it was recorded.
struct Setting {
  enum class Kind : std::uint8_t { machine, recorder, program, note };
  Kind kind = Kind::machine;
  std::string name, value;
  auto operator<=>(const Setting&) const = default;
};
std::string_view name_of(Setting::Kind kind);  // "machine", "recorder", "program", "note"

struct CaptureSide {
  gate::Run run;
  std::string part;                  // which part of the capture: "before +30 s"; empty: all of it
  std::vector<ReportedRoute> facts;  // by route of the run
  Topology topology;
  std::vector<FoldedStack> stacks;  // CPU samples of the served requests, by frames
  std::uint64_t served = 0;         // requests, of those stacks
  std::vector<Setting> settings;
  std::uint64_t events = 0;
  double under_way = 0;  // requests at a time, on average: served ones, where there are any
};

}  // namespace tailcap::model::difference
