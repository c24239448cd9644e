#include "analyze/report/charts/collector_chart.h"

#include <algorithm>
#include <optional>

#include "analyze/report/charts/axes.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::charts {
namespace {

constexpr std::size_t kProcesses = 4;  // whose collector is drawn
constexpr std::size_t kDrawn = 1000;   // pauses, and requests: the longest of more

std::vector<model::GoSpan> longest(std::vector<model::GoSpan> spans) {
  const auto longer = [](const model::GoSpan& a, const model::GoSpan& b) { return a.to - a.from > b.to - b.from; };
  if (spans.size() > kDrawn) {
    std::stable_sort(spans.begin(), spans.end(), longer);
    spans.resize(kDrawn);
  }
  return spans;
}

// Unset: no pause of the process is known.
std::optional<model::Chart> collector_chart(const model::Study& study, const model::GoStudy& g) {
  DurationAxis durations;
  model::Chart out;
  const auto at = [&](formats::Time t) { return static_cast<double>((t - study.begin).count()); };
  const auto add = [&](const char* name, const char* colour, model::ChartSeries::Form form,
                       const std::vector<model::GoSpan>& spans) {
    model::ChartSeries series{name, colour, form, false, {}};
    for (const model::GoSpan& s : longest(spans)) {
      const Duration took = s.to - s.from;
      if (took.count() <= 0 || s.to < study.begin || s.from > study.end) continue;
      durations.include(took);
      series.strokes.push_back({at(s.from), at(s.to), static_cast<double>(took.count())});
    }
    if (!series.strokes.empty()) out.series.push_back(std::move(series));
  };
  add("pauses", "#0072b2", model::ChartSeries::Form::impulses, g.pauses);
  add("requests that they hit", "#d55e00", model::ChartSeries::Form::stretches, g.hit);
  if (out.series.empty()) return std::nullopt;
  std::vector<model::Burst> cycles;
  for (const model::GoSpan& c : g.cycles) cycles.push_back({c.from, c.to, 0});
  model::Shades shades{model::Shades::Kind::collection, "collections",
                       shades_of(joined(std::move(cycles), study.begin, study.end), study.begin, "collection")};
  if (!shades.all.empty()) out.shades.push_back(std::move(shades));
  out.over_time = true;
  out.across = recording_axis(study.begin, study.end);
  out.up = durations.axis("duration");
  const std::string name = printable(g.comm.empty() ? "process" : g.comm) + " " + std::to_string(g.pid);
  out.title = "Go's collector: " + name;
  out.caption = "Go's collector in " + name +
                ": how long the world was stopped each time, and the requests under way then, from their beginning "
                "to their end at the height of their duration.";
  if (g.stops > g.pauses.size() || g.pauses.size() > kDrawn || g.requests_stopped > g.hit.size() ||
      g.hit.size() > kDrawn)
    out.caption += " Not all of them are drawn.";
  return out;
}

}  // namespace

std::vector<model::Chart> collector_charts(const model::Study& study) {
  std::vector<model::Chart> out;
  if (!formats::known(study.begin) || study.end <= study.begin) return out;
  for (const model::GoStudy& process : study.go) {
    std::optional<model::Chart> chart = collector_chart(study, process);
    if (!chart) continue;
    chart->name = out.empty() ? "gc" : "gc-0" + std::to_string(out.size() + 1);
    out.push_back(std::move(*chart));
    if (out.size() == kProcesses) break;
  }
  return out;
}

}  // namespace tailcap::report::charts
