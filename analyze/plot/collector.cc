#include <algorithm>

#include "analyze/model/study/figure.h"
#include "analyze/plot/chart.h"
#include "analyze/plot/script.h"
#include "formats/printable.h"

namespace tailcap::plot {
namespace {

constexpr std::size_t kDrawn = 1000;    // pauses, and requests: the longest of more
constexpr std::size_t kShades = 400;    // cycles
constexpr double kLeastShade = 0.0015;  // of the axis, so that a cycle of a millisecond is seen

double seconds(model::Duration d) { return static_cast<double>(d.count()) * 1e-9; }

std::vector<model::GoSpan> longest(std::vector<model::GoSpan> spans) {
  const auto longer = [](const model::GoSpan& a, const model::GoSpan& b) { return a.to - a.from > b.to - b.from; };
  if (spans.size() > kDrawn) {
    std::stable_sort(spans.begin(), spans.end(), longer);
    spans.resize(kDrawn);
  }
  return spans;
}

}  // namespace

Chart collector_chart(const model::Study& study, std::size_t index, bool titled) {
  Chart chart;
  const model::GoStudy& g = study.go[index];
  if ((g.pauses.empty() && g.cycles.empty()) || !formats::known(study.begin)) return chart;
  const double length = std::max(seconds(study.end - study.begin), 1e-6);
  const TimeUnit unit = unit_for(length);
  const auto at = [&](formats::Time t) { return seconds(t - study.begin); };
  double low = 1e9, high = 1e-9;
  Data pauses("$pauses"), hit("$hit");
  const auto add = [&](Data& data, const model::GoSpan& s) {
    const double took = seconds(s.to - s.from);
    if (!(took > 0) || at(s.to) < 0 || at(s.from) > length) return;
    low = std::min(low, took);
    high = std::max(high, took);
    data.row({at(s.from), took, took});
  };
  for (const auto& s : longest(g.pauses)) add(pauses, s);
  for (const auto& s : longest(g.hit)) add(hit, s);
  if (pauses.empty() && hit.empty()) return chart;
  low /= 2;
  high *= 2;
  chart.height = 320;
  std::string script = pauses.text() + hit.text();
  std::size_t shades = 0;
  for (const auto& c : g.cycles) {
    if (shades >= kShades) break;
    const double middle = (at(c.from) + at(c.to)) / 2, half = std::max(at(c.to) - at(c.from), kLeastShade * length) / 2;
    if (middle + half < 0 || middle - half > length) continue;
    script += "set object " + std::to_string(++shades) + " rect from first " +
              number(std::max(0.0, middle - half) * unit.per_second) + ", graph 0 to first " +
              number(std::min(length, middle + half) * unit.per_second) +
              ", graph 1 behind fillcolor rgb '#56b4e9' fillstyle solid 0.35 noborder\n";
  }
  script += "set logscale y\nset xrange [0:" + number(length * unit.per_second) + "]\nset yrange [" + number(low) +
            ":" + number(high) + "]\nset xlabel 'since the recording began, " + std::string(unit.name) +
            "' offset 0,0.3\nset ylabel 'duration' offset 1\nset ytics " + duration_ticks(low, high) + "\n" +
            legend_below(1, 3, chart.height);
  const std::string name = (g.comm.empty() ? "process" : g.comm) + " " + std::to_string(g.pid);
  if (titled) script += "set title " + quoted("Go's collector: " + name, 70) + "\n";
  std::string curves;
  const auto next = [&](const std::string& curve) { curves += (curves.empty() ? "plot " : ", \\\n  ") + curve; };
  const std::string scale = number(unit.per_second);
  if (!pauses.empty())
    next(pauses.name() + " using ($1*" + scale + "):2 with impulses lw 1.5 lc rgb '#0072b2' title 'pauses'");
  if (!hit.empty())
    next(hit.name() + " using ($1*" + scale + "):2:($3*" + scale +
         "):(0) with vectors nohead lw 2 lc rgb '#d55e00' title 'requests that they hit'");
  if (shades > 0) next("keyentry with boxes fillstyle solid 0.35 noborder lc rgb '#56b4e9' title 'collections'");
  chart.caption = "Go's collector in " + formats::printable(name) +
                  ": how long the world was stopped each time, and the requests under way then, from their beginning "
                  "to their end at the height of their duration.";
  if (g.stops > g.pauses.size() || g.pauses.size() > kDrawn || g.requests_stopped > g.hit.size() ||
      g.hit.size() > kDrawn)
    chart.caption += " Not all of them are drawn.";
  chart.script = script + curves + "\n";
  return chart;
}

}  // namespace tailcap::plot
