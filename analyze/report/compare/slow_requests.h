// One slow request of each side of a comparison, for its page.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/render/document.h"
#include "analyze/report/request/waterfall.h"

namespace tailcap::report {

struct SlowRequest {
  std::string path;  // of the capture, as it was given
  model::ExchangeId id;
  std::int64_t duration = 0;                                    // ns
  std::vector<std::pair<std::uint8_t, std::int64_t>> accounts;  // ns; they sum to the duration
  Waterfall waterfall;
};

struct SlowPair {
  model::gate::RouteName route;
  std::string metric;  // "p99": both are about as slow as this of their side
  SlowRequest base, fresh;
};

void add_slow_pairs(const std::vector<SlowPair>& pairs, render::Document& out);

}  // namespace tailcap::report
