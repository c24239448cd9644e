#include <algorithm>
#include <cmath>

#include "analyze/plot/chart.h"
#include "analyze/plot/script.h"

namespace tailcap::plot {
namespace {

constexpr std::size_t kShades = 200;   // lost intervals drawn; neighbours are joined until no more are left
constexpr double kLeastShade = 0.003;  // of the axis: a loss of a microsecond must be seen too

constexpr std::uint64_t kForP99 = 100;  // requests in a bucket; of fewer the p99 is the slowest by another name

double seconds(model::Duration d) { return static_cast<double>(d.count()) * 1e-9; }
double since(const model::Study& study, model::Time t) { return seconds(t - study.begin); }

struct Shade {
  double from = 0, to = 0;
};

std::vector<Shade> shades(const model::Study& study, double length) {
  std::vector<Shade> all;
  for (const auto& loss : study.quality.losses) {
    if (!formats::known(loss.to)) continue;
    const double from = formats::known(loss.from) ? since(study, loss.from) : 0, to = since(study, loss.to);
    const double middle = (from + to) / 2, half = std::max((to - from) / 2, kLeastShade * length / 2);
    if (middle + half > 0 && middle - half < length)
      all.push_back({std::max(0.0, middle - half), std::min(length, middle + half)});
  }
  std::ranges::sort(all, {}, &Shade::from);
  std::vector<Shade> joined;
  // Joins what touches; where there are still too many, what lies close.
  for (double near = 0;; near = near == 0 ? length / 1000 : near * 2) {
    joined.clear();
    for (const auto& s : all) {
      if (!joined.empty() && s.from <= joined.back().to + near)
        joined.back().to = std::max(joined.back().to, s.to);
      else
        joined.push_back(s);
    }
    if (joined.size() <= kShades) return joined;
  }
}

}  // namespace

Chart time_chart(const model::Study& study, std::size_t index, bool titled) {
  Chart chart;
  const auto& points = study.routes[index].over_time;
  if (points.empty() || !formats::known(study.begin)) return chart;
  Data p50("$p50_" + std::to_string(index)), p99("$p99_" + std::to_string(index)),
      slowest("$max_" + std::to_string(index));
  double low = 1e9, high = 1e-9;
  const double length = std::max({since(study, study.end), since(study, points.back().from), 1e-6});
  const double width = points.size() > 1 ? seconds(points[1].from - points[0].from) : length;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& p = points[i];
    // A bucket is a level stretch: what was measured there, and nothing between neighbours.
    const double from = since(study, p.from);
    const double to =
        i + 1 < points.size() ? since(study, points[i + 1].from) : std::min(from + width, std::max(length, from));
    const auto add = [&](Data& data, model::Duration d) {
      if (p.count == 0 || d.count() <= 0) return data.gap();
      low = std::min(low, seconds(d));
      high = std::max(high, seconds(d));
      data.row({from, seconds(d)});
      data.row({to, seconds(d)});
    };
    add(p50, p.p50);
    add(slowest, p.max);
    add(p99, p.count >= kForP99 ? p.p99 : model::Duration{});
  }
  if (p50.empty() && p99.empty() && slowest.empty()) return chart;
  chart.height = 320;
  low /= 1.3;
  high *= 1.3;
  const TimeUnit unit = unit_for(length);
  const std::string each = " of each " + number(width < 1 ? width * 1000 : width) + (width < 1 ? " ms" : " s");
  chart.caption = (p99.empty() ? "Median and slowest request" + each : "Median, p99 and slowest request" + each) +
                  ", by when they began. Interrupted where there were none." +
                  (p99.empty() ? "" : " The p99 only where at least 100 began.");
  const auto lost = shades(study, length);
  std::string script = p50.text() + p99.text() + slowest.text();
  std::size_t object = 0;
  for (const auto& s : lost)
    script += "set object " + std::to_string(++object) + " rect from first " + number(s.from * unit.per_second) +
              ", graph 0 to first " + number(s.to * unit.per_second) +
              ", graph 1 behind fillcolor rgb '#cc79a7' fillstyle solid 0.35 noborder\n";
  script += "set logscale y\nset xrange [0:" + number(length * unit.per_second) + "]\nset yrange [" + number(low) +
            ":" + number(high) + "]\nset xlabel 'since the recording began, " + std::string(unit.name) +
            "' offset 0,0.3\nset ylabel 'duration' offset 1\nset ytics " + duration_ticks(low, high) + "\n" +
            legend_below(1, 4, chart.height);
  if (titled) script += "set title " + quoted(route_name(study, index), 70) + "\n";
  std::string curves;
  const auto line = [&](const Data& data, const char* colour, const char* lw, const char* title) {
    if (data.empty()) return;
    curves += (curves.empty() ? "plot " : ", \\\n  ") + data.name() + " using ($1*" + number(unit.per_second) +
              "):2 with lines lw " + lw + " lc rgb '" + colour + "' title '" + title + "'";
  };
  line(slowest, "#999999", "1", "slowest");
  line(p99, "#d55e00", "2", "p99");
  line(p50, "#0072b2", "2", "p50");
  script += curves;
  if (!lost.empty()) {
    script += ", \\\n  keyentry with boxes fillstyle solid 0.35 noborder lc rgb '#cc79a7' title 'events lost'";
    chart.caption += " Shaded: events were lost there, so requests may be missing.";
  }
  chart.script = script + "\n";
  return chart;
}

}  // namespace tailcap::plot
