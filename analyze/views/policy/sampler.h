// Which requests a sampler keeps, and what its rates mean for estimates.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "analyze/model/policy/outcome.h"
#include "analyze/views/policy/condition.h"

namespace tailcap::policy {

// In [0, 1), the same for one text on every machine: a request is kept where its place is below the rate. So what is
// kept at some rate is kept at every higher one.
double place_of(std::string_view key);

// What decides whether a request is kept, whatever the rate is.
struct SamplePlace {
  std::uint32_t row = 0;
  double place = 0;
  bool by_rule = false;
};

struct Decision {
  std::uint32_t row = 0;
  double rate = 1;
  bool kept = false, by_rule = false;
  // The chance to be kept; its inverse is the weight.
  double chance() const { return by_rule ? 1 : rate; }
};
Decision decided(const SamplePlace& place, double rate);

class Sampler {
 public:
  explicit Sampler(const model::policy::PolicySampling& sampling);
  SamplePlace place(const model::RequestTable& table, std::uint32_t row) const;

 private:
  const model::policy::PolicySampling::Key key_;
  std::optional<query::Filter> keep_;
};

}  // namespace tailcap::policy
