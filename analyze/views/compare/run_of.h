// A capture as a run that can be compared: routes and labels are those of the report.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

// The first tenth of a run, and at least a second, is warm-up.
inline constexpr double kWarmUpShare = 0.1, kWarmUpLeast = 1;

class ProcessCounts;
class RequestStacks;

enum class KeepCalls : bool { no, yes };  // fills RouteRun::made

// warm_up: seconds; unset: the default. counts: what was read of processes beside the analysis; nullptr: nothing.
model::gate::Run run_of(const pipeline::Analysis& analysis, std::optional<double> warm_up,
                        ProcessCounts* counts = nullptr, KeepCalls keep = KeepCalls::no);

struct RunRead {
  model::gate::Run run;
  std::vector<model::ExchangeId> wrong;  // as in pipeline::Analysis
};

// What else is made of the same reading.
using FurtherFacts = std::function<void(const pipeline::Analysis&, const RequestStacks&, const model::gate::Run&)>;

// Reads the capture. options: how routes are made. further: with it, there is a study, and routes keep their calls.
RunRead read_run(const std::string& path, pipeline::Options&& options, std::optional<double> warm_up,
                 const FurtherFacts& further = {});

// Leaves the program's name out of routes where no run has two programs with a route of that name: the program of the
// new version may be called differently.
void name_routes(std::vector<model::gate::Run*> runs);

}  // namespace tailcap::views
