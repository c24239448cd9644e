#include "analyze/series/growth.h"

#include <algorithm>

namespace tailcap::series {
namespace {

constexpr double kHour = 3.6e12;  // ns

std::uint64_t number_of(const model::Census& c) { return c.exact ? c.series.exact : c.series.estimate; }

}  // namespace

std::optional<model::SeriesGrowth> growth_of(std::span<const model::Census> all) {
  if (all.size() < 2 || all.front().at == all.back().at) return {};
  const model::Census &first = all.front(), &last = all.back();
  model::SeriesGrowth out{number_of(first), number_of(last), first.at, last.at, 0, {}, {}, 0, 0};
  // Least squares.
  double x_mean = 0, y_mean = 0, xy = 0, xx = 0;
  const auto n = static_cast<double>(all.size());
  const auto hours = [&](const model::Census& c) { return static_cast<double>(c.at - first.at) / kHour; };
  for (const model::Census& c : all) {
    x_mean += hours(c) / n;
    y_mean += static_cast<double>(number_of(c)) / n;
  }
  for (const model::Census& c : all) {
    xy += (hours(c) - x_mean) * (static_cast<double>(number_of(c)) - y_mean);
    xx += (hours(c) - x_mean) * (hours(c) - x_mean);
  }
  out.each_hour = xx > 0 ? xy / xx : 0;
  if (last.limit) {
    if (out.last > *last.limit)
      out.lead = 0;
    else if (out.each_hour > 0)
      out.lead = static_cast<double>(*last.limit - out.last) / out.each_hour;
  }
  std::uint64_t most = 0;
  for (const model::Dimension& now : last.dimensions) {
    const auto before = std::ranges::find(first.dimensions, now.name, &model::Dimension::name);
    const auto values = [](const model::Dimension& d, bool exact) {
      return exact ? d.values.exact : d.values.estimate;
    };
    const std::uint64_t had = before == first.dimensions.end() ? 0 : values(*before, first.exact),
                        has = values(now, last.exact);
    if (has <= had || has - had <= most) continue;
    most = has - had;
    out.dimension = now.name;
    out.values_before = had;
    out.values_after = has;
  }
  return out;
}

}  // namespace tailcap::series
