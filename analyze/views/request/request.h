// What `tailcap show` has of one request beside its detail: samples, and the lanes around it. The capture is read
// again.
#pragma once

#include <string>

#include "analyze/pipeline/detail.h"
#include "analyze/pipeline/lanes.h"

namespace tailcap::views {

// Fills the samples of the request that was looked up.
void add_samples(const std::string& file, pipeline::Look& look);

// A tenth of its time before and after it, of all processes that took part.
flow::Lanes lanes_around(const flow::Detail& detail, const std::string& file);

}  // namespace tailcap::views
