// Any text as metrics: what comes of a change is never more series, and what merges adds up.
#include <cassert>
#include <cstdint>
#include <string_view>

#include "analyze/series/counter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tailcap;
  if (size > 20'000) return 0;
  series::SeriesCounter counter;
  counter.add_text(std::string_view(reinterpret_cast<const char*>(data), size));
  const model::Census census = counter.census(1);
  assert(census.exact && census.series.exact + census.repeated == census.samples);
  std::uint64_t of_metrics = 0;
  for (const auto& metric : census.metrics) of_metrics += metric.series;
  assert(of_metrics == census.series.exact);
  for (const auto& dimension : census.dimensions) {
    assert(dimension.values.exact >= 1 && dimension.series >= dimension.values.exact);
    assert(dimension.evenness >= 0 && dimension.evenness <= 1.000001);
    for (const auto& effect : dimension.effects) {
      assert(effect.series <= census.series.exact && effect.merged <= census.series.exact);
      assert(effect.injective() == (effect.series == census.series.exact));
    }
  }
  assert(!census.reachable || census.steps.empty() || census.steps.back().effect.series <= 1);
  return 0;
}
