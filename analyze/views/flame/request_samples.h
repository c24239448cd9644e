// What the processors were seen doing for single requests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/flame.h"
#include "formats/sample.h"

namespace tailcap::views {

// Of these requests; those of which it is not known whose samples were theirs, and that had none, are not there. The
// capture is read again.
std::map<flow::ExchangeId, flow::RequestSamples> request_samples(
    const std::string& path, std::vector<flow::ExchangeId> requests,
    formats::SampleKind kind = formats::SampleKind::on_cpu);

// Of several together.
flow::RequestSamples sum_of(const std::vector<flow::FoldedStack>& stacks);

}  // namespace tailcap::views
