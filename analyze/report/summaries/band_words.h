// What is outside of a band, in words and in JSON; burn rates.
#pragma once

#include <string>

#include "analyze/model/summaries/baseline.h"
#include "analyze/report/json/shape.h"

namespace tailcap::report {

// A value of the metric: "120 ms", "1.3 %", "12.0 /s".
std::string band_value(model::BandMetric metric, double value);
// "p95 182 ms, usually 40.1 ms (at most 48.0 ms)".
std::string outside_words(const model::OutsideBand& outside);
const Shape<model::OutsideBand, Anywhere>& outside_shape();

// "1.24", "31".
std::string burn_text(double rate);

}  // namespace tailcap::report
