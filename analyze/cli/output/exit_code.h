// How a command that printed results ends.
#pragma once

#include "analyze/pipeline/pipeline.h"

namespace tailcap::cli {

// 0, 3 where data was lost, 1 where tailcap contradicted itself: then says of which requests on standard error.
int exit_code(const pipeline::Analysis& analysis, const char* command);
int exit_code(bool damaged, const std::vector<flow::ExchangeId>& wrong, const char* command);

}  // namespace tailcap::cli
