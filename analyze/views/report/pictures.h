// What a report shows of stacks: they are read again from the capture, where it has any.
#pragma once

#include <string>

#include "analyze/flow/figure.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

// What the slow requests of triggers were seen in, or waited in.
void explain_triggers(const std::string& file, pipeline::Analysis& analysis);

// Adds "flame-slow", where the processors' time of slow requests of the first route went, and "samples-ID" of single
// requests of the page.
void add_flames(const std::string& file, const pipeline::Analysis& analysis, flow::Figures& figures);

}  // namespace tailcap::views
