#include "analyze/report/charts/chart_svg.h"

#include <algorithm>
#include <ranges>

#include "analyze/report/charts/axes.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/escape.h"

namespace tailcap::report::charts {
namespace {

using model::Chart;
using model::Series;
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

std::string path_of(const Series& series, const Plane& plane) {
  std::string out;
  const Stroke* before = nullptr;
  for (const Stroke& s : series.strokes) {
    const std::string x = coordinate(plane.x(s.from)), y = coordinate(plane.y(s.up));
    switch (series.form) {
      case Series::Form::line:
        out += (out.empty() ? "M" : "L") + x + " " + y;
        break;
      case Series::Form::levels:
        out += (before && before->to >= s.from ? "L" : "M") + x + " " + y + "H" + coordinate(plane.x(s.to));
        break;
      case Series::Form::stretches:
        out += "M" + x + " " + y + "H" + coordinate(plane.x(s.to));
        break;
      case Series::Form::impulses:
        out += "M" + x + " " + coordinate(plane.top + plane.high) + "V" + y;
        break;
    }
    before = &s;
  }
  return out;
}

std::string curve(const Series& series, const Plane& plane) {
  const std::string colour = series.colour.empty() ? "var(--fg)" : series.colour;
  return "<path class=\"curve" + std::string(series.thin ? " thin" : "") + "\" style=\"stroke:" + colour +
         (series.form == Series::Form::stretches ? ";stroke-width:5px" : "") + "\" d=\"" + path_of(series, plane) +
         "\"/>\n";
}

std::string contents(const Plane& plane, double thinnest_shade, double thinnest_hint) {
  const auto rectangles = [&](const std::vector<model::Shade>& all, const std::string& classes, double thinnest) {
    std::string out;
    for (const model::Shade& s : all) {
      const double from = plane.x(s.from), width = std::max(plane.x(s.to) - from, thinnest);
      out += hinted_rectangle(classes, from, width, plane.left + plane.width, plane.top, plane.high, s.hint);
    }
    return out;
  };
  std::string out;
  for (const Shades& shades : plane.chart.shades) out += rectangles(shades.all, class_of(shades.kind), thinnest_shade);
  for (const Series& series : plane.chart.series | std::views::reverse) out += curve(series, plane);
  return out + rectangles(plane.chart.hints, "hit", thinnest_hint);
}

// Level lines with their values on both sides.
std::string levels(const Plane& plane) {
  std::string out;
  for (const model::Tick& tick : plane.chart.up.ticks) {
    const std::string y = coordinate(plane.y(tick.at));
    out += "<path class=\"grid\" d=\"M" + coordinate(plane.left) + " " + y + "h" + coordinate(plane.width) +
           "\"/><text x=\"" + coordinate(plane.left - 6) + "\" y=\"" + y + "\" dy=\"4\" text-anchor=\"end\">" +
           html(tick.text) + "</text>";
  }
  for (const model::Tick& tick : plane.chart.right)
    out += "<text x=\"" + coordinate(plane.left + plane.width + 6) + "\" y=\"" + coordinate(plane.y(tick.at)) +
           "\" dy=\"4\">" + html(tick.text) + "</text>";
  return out + "\n";
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
  return timed_svg(frame, levels(outside), contents(inside, kThinnestShade, 1), "");
}

std::string fixed(const Chart& chart, double width) {
  const Plane plane{chart, kLeft, kTop, width - kLeft - kRight, kHigh};
  std::string out = "<svg class=\"chart\" viewBox=\"0 0 " + coordinate(width) + " " + coordinate(kTop + kHigh + 38) +
                    "\" role=\"img\">\n";
  for (const model::Tick& tick : chart.across.ticks) {
    const std::string x = coordinate(plane.x(tick.at));
    out += "<path class=\"grid\" d=\"M" + x + " " + coordinate(kTop) + "v" + coordinate(kHigh) + "\"/><text x=\"" + x +
           "\" y=\"" + coordinate(kTop + kHigh + 17) + "\" text-anchor=\"middle\">" + html(tick.text) + "</text>";
  }
  return out + levels(plane) + "<text x=\"" + coordinate(plane.left + plane.width / 2) + "\" y=\"" +
         coordinate(kTop + kHigh + 34) + "\" text-anchor=\"middle\">" + html(chart.across.title) + "</text>\n" +
         contents(plane, 1, 0) + "</svg>\n";
}

}  // namespace

render::Figure chart_figure(const Chart& chart, double width) {
  render::Figure out;
  out.svg = chart.over_time ? over_time(chart, width) : fixed(chart, width);
  for (const Series& series : chart.series)
    out.legend.push_back({series.name, series.colour.empty() ? "var(--fg)" : series.colour});
  for (const Shades& shades : chart.shades)
    out.legend.push_back({shades.name, std::string(model::colour_of(shades.kind)) + "55"});
  out.caption = chart.caption;
  if (chart.over_time) out.caption += " Drag to enlarge all plots of time; a double click shows all.";
  return out;
}

}  // namespace tailcap::report::charts
