#include "analyze/report/summaries/band_words.h"

#include <cstdio>

#include "analyze/report/summaries/words.h"

namespace tailcap::report {

using model::BandMetric;
using model::OutsideBand;

std::string band_value(BandMetric metric, double value) {
  if (metric == BandMetric::rate) return rate_text(value);
  return metric == BandMetric::errors ? share_text(value) : nanoseconds_text(value);
}

std::string outside_words(const OutsideBand& o) {
  return std::string(name_of(o.metric)) + " " + band_value(o.metric, o.value) + ", usually " +
         band_value(o.metric, o.typical) + " (at " + (o.above ? "most " : "least ") +
         band_value(o.metric, o.above ? o.high : o.low) + ")";
}

const Shape<OutsideBand, Anywhere>& outside_shape() {
  static const Shape<OutsideBand, Anywhere> kOutside{
      "outside",
      {
          {"metric", one_of<BandMetric::p99>(&OutsideBand::metric)},
          {"above", &OutsideBand::above, "false: below"},
          {"from_ns", &OutsideBand::from, "since 1970"},
          {"to_ns", &OutsideBand::to},
          {"value", &OutsideBand::value, "farthest from what is typical"},
          {"low", &OutsideBand::low},
          {"typical", &OutsideBand::typical},
          {"high", &OutsideBand::high},
      }};
  return kOutside;
}

std::string burn_text(double rate) {
  char text[40];
  std::snprintf(text, sizeof text, rate < 10 ? "%.2f" : "%.0f", rate);
  return text;
}

}  // namespace tailcap::report
