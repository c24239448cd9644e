// Which requests a sampling keeps, and what its rates mean for estimates.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "analyze/model/policy/outcome.h"
#include "analyze/views/policy/condition.h"

namespace tailcap::policy {

// In [0, 1), the same for one text on every machine: a request is kept where its place is below the rate. So what is
// kept at some rate is kept at every higher one.
double place_of(std::string_view key);

struct Decision {
  std::uint32_t row = 0;
  double rate = 1;
  bool kept = false, by_rule = false;
  // The chance to be kept; its inverse is the weight.
  double chance() const { return by_rule ? 1 : rate; }
};

class Sampler {
 public:
  explicit Sampler(const model::policy::PolicySampling& sampling);
  // A request that begins while these conditions hold.
  Decision decide(const model::RequestTable& table, std::uint32_t row, const std::vector<bool>& firing);

 private:
  model::policy::PolicySampling sampling_;
  std::vector<RouteMatch> routes_;  // of the adaptations
  std::optional<query::Filter> keep_;
};

}  // namespace tailcap::policy
