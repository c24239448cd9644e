// What a comparison noticed beside its gates, in words.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"

namespace tailcap::report {

struct Noticed {
  std::string text;  // a sentence; printable()
  // Gates can say the same of:
  bool gated = false;  // unset: no gate is of this
  std::size_t route = 0;
  model::gate::Metric metric{};
};
std::vector<Noticed> noticed_of(const model::gate::Comparison& comparison);

}  // namespace tailcap::report
