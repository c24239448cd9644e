// The CPU samples of single requests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/flame.h"
#include "formats/sample.h"

namespace tailcap::views {

// The samples of these requests. A request is left out if it had none, or if the samples cannot be assigned to it.
// Reads the capture again.
std::map<flow::ExchangeId, flow::RequestSamples> request_samples(
    const std::string& path, std::vector<flow::ExchangeId> requests,
    formats::SampleKind kind = formats::SampleKind::on_cpu);

// The sum of several requests' stacks.
flow::RequestSamples sum_of(const std::vector<flow::FoldedStack>& stacks);

}  // namespace tailcap::views
