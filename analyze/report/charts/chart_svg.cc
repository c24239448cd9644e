#include "analyze/report/charts/chart_svg.h"

#include <algorithm>
#include <ranges>

#include "analyze/report/charts/axes.h"
#include "analyze/report/charts/timed.h"
#include "ground/svg.h"

namespace tailcap::report::charts {
namespace {

using ground::coordinate;
using ground::Svg;
using model::Chart;
using model::ChartSeries;
using model::Shades;
using model::Stroke;

constexpr double kLeft = 62, kRight = 56, kTop = 10, kHigh = 205;

std::string class_of(Shades::Kind kind) {
  switch (kind) {
    case Shades::Kind::episode:
      return "episode";
    case Shades::Kind::lost:
      return "lost";
    case Shades::Kind::collection:
      return "collection";
  }
  return {};
}

// Where something is drawn: the axes over a rectangle.
struct Plane {
  const Chart& chart;
  double left, top, width, high;
  double x(double across) const { return left + place(chart.across, across) * width; }
  double y(double up) const { return top + high * (1 - place(chart.up, up)); }
};

std::string path_of(const ChartSeries& series, const Plane& plane) {
  ground::Path out;
  const Stroke* before = nullptr;
  for (const Stroke& s : series.strokes) {
    const double x = plane.x(s.from), y = plane.y(s.up);
    switch (series.form) {
      case ChartSeries::Form::line:
        out(out.empty() ? 'M' : 'L', {x, y});
        break;
      case ChartSeries::Form::levels:
        if (before && before->to == s.from)
          out('V', {y});
        else
          out(before && before->to > s.from ? 'L' : 'M', {x, y});
        out('H', {plane.x(s.to)});
        break;
      case ChartSeries::Form::stretches:
        out('M', {x, y})('H', {plane.x(s.to)});
        break;
      case ChartSeries::Form::impulses:
        out('M', {x, plane.top + plane.high})('V', {y});
        break;
    }
    before = &s;
  }
  return out.take();
}

void add_curve(const ChartSeries& series, const Plane& plane, Svg& out) {
  const std::string colour = series.colour.empty() ? "var(--fg)" : series.colour;
  out.leaf("path",
           {{"class", series.thin ? "curve thin" : "curve"},
            {"style", "stroke:" + colour + (series.form == ChartSeries::Form::stretches ? ";stroke-width:5px" : "")},
            {"d", path_of(series, plane)}})
      .line();
}

void add_contents(const Plane& plane, double thinnest_shade, double thinnest_hint, Svg& out) {
  const auto rectangles = [&](const std::vector<model::Shade>& all, const std::string& classes, double thinnest) {
    for (const model::Shade& s : all) {
      const double from = plane.x(s.from), width = std::max(plane.x(s.to) - from, thinnest);
      add_hinted_rectangle(classes, from, width, plane.left + plane.width, plane.top, plane.high, s.hint, out);
    }
  };
  for (const Shades& shades : plane.chart.shades) rectangles(shades.all, class_of(shades.kind), thinnest_shade);
  for (const ChartSeries& series : plane.chart.series | std::views::reverse) add_curve(series, plane, out);
  rectangles(plane.chart.hints, "hit", thinnest_hint);
}

// Level lines with their values on both sides.
void add_levels(const Plane& plane, Svg& out) {
  for (const model::Tick& tick : plane.chart.up.ticks) {
    const double y = plane.y(tick.at);
    out.leaf("path", {{"class", "grid"}, {"d", ground::Path()('M', {plane.left, y})('h', {plane.width}).take()}})
        .text({{"x", plane.left - 6}, {"y", y}, {"dy", 4}, {"text-anchor", "end"}}, tick.text);
  }
  for (const model::Tick& tick : plane.chart.right)
    out.text({{"x", plane.left + plane.width + 6}, {"y", plane.y(tick.at)}, {"dy", 4}}, tick.text);
  out.line();
}

std::string over_time(const Chart& chart, double width) {
  TimedFrame frame;
  frame.from = frame.zero = formats::time_from(1);  // any: all is counted from the beginning
  frame.to = frame.from + formats::Duration{static_cast<std::int64_t>(chart.across.high)};
  frame.axis = kRecordingAxis;
  frame.plane_width += width - frame.width;
  frame.width = width;
  const Plane outside{chart, frame.left, frame.top, frame.plane_width, frame.plane_height};
  const Plane inside{chart, 0, 0, kPlaneUnits, frame.plane_height};
  Svg behind, plane;
  add_levels(outside, behind);
  add_contents(inside, kThinnestShade, 1, plane);
  return timed_svg(frame, behind.take(), plane.take(), "");
}

std::string standing(const Chart& chart, double width) {
  const Plane plane{chart, kLeft, kTop, width - kLeft - kRight, kHigh};
  Svg out;
  out.open("svg", {{"class", "chart"},
                   {"viewBox", "0 0 " + coordinate(width) + " " + coordinate(kTop + kHigh + 38)},
                   {"role", "img"}})
      .line();
  for (const model::Tick& tick : chart.across.ticks) {
    const double x = plane.x(tick.at);
    out.leaf("path", {{"class", "grid"}, {"d", ground::Path()('M', {x, kTop})('v', {kHigh}).take()}})
        .text({{"x", x}, {"y", kTop + kHigh + 17}, {"text-anchor", "middle"}}, tick.text);
  }
  add_levels(plane, out);
  out.text({{"x", plane.left + plane.width / 2}, {"y", kTop + kHigh + 34}, {"text-anchor", "middle"}},
           chart.across.title)
      .line();
  add_contents(plane, 1, 0, out);
  return out.close("svg").line().take();
}

}  // namespace

render::Figure chart_figure(const Chart& chart, double width) {
  render::Figure out;
  out.svg = chart.over_time ? over_time(chart, width) : standing(chart, width);
  for (const ChartSeries& series : chart.series)
    out.legend.push_back({series.name, series.colour.empty() ? "var(--fg)" : series.colour});
  for (const Shades& shades : chart.shades)
    out.legend.push_back({shades.name, std::string(model::colour_of(shades.kind)) + "55"});
  out.caption = chart.caption;
  if (chart.over_time) out.caption += " Drag to enlarge all plots of time; a double click shows all.";
  return out;
}

}  // namespace tailcap::report::charts
