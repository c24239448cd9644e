// Rules for Prometheus over the metrics of openmetrics.h, from the limits that `tailcap assert` takes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/gate/slo.h"

namespace tailcap::exports {

struct AlertRules {
  std::string yaml;
  std::size_t alerts = 0;
  std::vector<std::string> limits;  // what the metrics cannot express, with the reason; printable(). yaml has it, too
};

// made_of: which file, and by which version; printable().
AlertRules alert_rules(std::span<const model::gate::Slo> slos, const std::string& made_of);

}  // namespace tailcap::exports
