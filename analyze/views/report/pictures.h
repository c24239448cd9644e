// The stacks in a report: read again from the capture, if it has any.
#pragma once

#include <string>

#include "analyze/model/study/figure.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

// Adds the stacks in which the slow requests of triggers ran or waited.
void explain_triggers(const std::string& file, pipeline::Analysis& analysis);

// Adds "flame-slow", the CPU time of the slow requests of the first route, and "samples-ID" of single requests of the
// page.
void add_flames(const std::string& file, const pipeline::Analysis& analysis, model::Figures& figures);

}  // namespace tailcap::views
