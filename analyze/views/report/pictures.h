// The stacks in a report, from what was collected in the second reading.
#pragma once

#include "analyze/model/figure/figure.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/views/flame/request_stacks.h"

namespace tailcap::views {

// Adds the stacks in which the slow requests of triggers ran or waited.
void explain_triggers(const RequestStacks& stacks, pipeline::Analysis& analysis);

// Adds the functions in which the requests of routes were on a CPU, where that is a part of what a verdict says.
void name_functions(const RequestStacks& stacks, pipeline::Analysis& analysis);

// Adds "flame-slow", the CPU time of the slow requests of the first route, and "samples-ID" of single requests of the
// page.
void add_flames(const RequestStacks& stacks, const pipeline::Analysis& analysis, model::PlotSet& figures);

}  // namespace tailcap::views
