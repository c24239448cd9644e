// What `tailcap show` has of one request beside its detail: samples, for which the capture is read again.
#pragma once

#include <string>

#include "analyze/pipeline/request/detail.h"

namespace tailcap::views {

// Fills the samples of the request that was looked up.
void add_samples(const std::string& file, pipeline::Look& look);

}  // namespace tailcap::views
