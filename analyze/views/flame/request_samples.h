// The CPU samples of single requests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyze/model/study/flame.h"
#include "analyze/model/wire/exchange.h"
#include "formats/sample.h"

namespace tailcap::views {

// The samples of these requests. A request is left out if it had none, or if the samples cannot be assigned to it.
// Reads the capture again.
std::map<model::ExchangeId, model::RequestSamples> request_samples(
    const std::string& path, std::vector<model::ExchangeId> requests,
    formats::SampleKind kind = formats::SampleKind::on_cpu);

// The sum of several requests' stacks.
model::RequestSamples sum_of(const std::vector<model::FoldedStack>& stacks);

}  // namespace tailcap::views
