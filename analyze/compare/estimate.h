// The difference of one metric of one route, from the values of its runs.
#pragma once

#include <span>

#include "analyze/compare/blocks.h"
#include "analyze/compare/run_sample.h"
#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

enum class Pairs : bool { no, yes };  // base[i] and fresh[i] were recorded together

// Every request of every run has the same number.
bool never_varies(std::span<const RunValue> runs);
// In every run, nearly every request has the same number.
bool seldom_varies(std::span<const RunValue> runs);

// alpha: the one-sided level for which the detectable increase is computed.
model::gate::GateEstimate estimate(const model::gate::Metric& metric, std::span<const RunValue> base,
                                   std::span<const RunValue> fresh, double alpha, Pairs pairs = Pairs::no);

// Estimates from one run a side.
model::gate::GateEstimate estimate_by_blocks(const model::gate::Metric& metric, const RunValue& base,
                                             const RunValue& fresh, const BlockValues& base_blocks,
                                             const BlockValues& fresh_blocks, const Noise& noise, double alpha);

// Whatever is true of calls without a known parent, of requests that broke off, and of samples of several requests.
bool sure(const model::gate::GateEstimate& estimate);

// What is of no account although it may be significant: advisory only. route_mean: ns, of the base.
bool large(const model::gate::Metric& metric, const model::gate::GateEstimate& estimate, double route_mean);

}  // namespace tailcap::compare
