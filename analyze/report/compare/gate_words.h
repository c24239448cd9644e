// The gates of a comparison, its runs and its load in words. Everything returned is printable().
#pragma once

#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// The limit is one of the default gates' on a count, and no run differs from another.
bool exact_by_default(const model::gate::GateResult& gate);
// Failed ones first, then undecided ones; without those of which unchanged_text() says all.
std::vector<const model::gate::GateResult*> gates_by_verdict(const model::gate::Comparison& comparison);
// "Unchanged and exact in 2 routes: lookups, retries per request." Empty: there are none.
std::string unchanged_text(const model::gate::Comparison& comparison);
render::Cell verdict_cell(const model::gate::GateResult& gate);
// "≥ 12.3 ms"; "–" where it is not known. value: the estimate's base or fresh.
std::string level_text(const model::gate::Metric& metric, const model::gate::GateEstimate& estimate, double value,
                       bool at_least);

std::string seconds_text(double seconds);
std::string runs_text(const model::gate::Comparison& comparison);  // "4 of the base (24.0 s), 4 new (24.0 s), …"
std::string load_text(const model::gate::Comparison& comparison);  // "100/s and 99.8/s, open loop"
std::string same_version_text(const model::gate::Comparison& comparison);  // why nothing can fail

}  // namespace tailcap::report
