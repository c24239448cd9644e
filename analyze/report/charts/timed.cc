#include "analyze/report/charts/timed.h"

#include <algorithm>
#include <cstdio>

#include "analyze/report/charts/axes.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::charts {
namespace {

using formats::Duration;
using formats::known;
using formats::Time;
using model::Burst;

std::string axis_svg(const TimedFrame& f) {
  const double from = static_cast<double>((f.from - f.zero).count()), to = static_cast<double>((f.to - f.zero).count());
  std::string out = "<g class=\"axis\">";
  for (const model::Tick& tick : time_ticks(from, to)) {
    const double x = f.left + (tick.at - from) / (to - from) * f.plane_width;
    out += "<path d=\"M" + coordinate(x) + " " + coordinate(f.top) + "V" + coordinate(f.top + f.plane_height) +
           "\"/><text x=\"" + coordinate(x) + "\" y=\"" + coordinate(f.labels) + "\" text-anchor=\"" +
           (x > f.left + f.plane_width - 20 ? "end" : "middle") + "\">" + tick.text + "</text>";
  }
  return out + "</g>";
}

}  // namespace

std::string coordinate(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", x);
  std::string out(text);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

double plane_x(const TimedFrame& f, Time t) {
  const auto length = static_cast<double>(std::max<std::int64_t>(1, (f.to - f.from).count()));
  return std::clamp(static_cast<double>((t - f.from).count()) / length, 0.0, 1.0) * kPlaneUnits;
}

std::string timed_svg(const TimedFrame& f, std::string_view behind, std::string_view plane, std::string_view beside) {
  const auto attribute = [](const char* name, double value) {
    return std::string(" ") + name + "=\"" + coordinate(value) + "\"";
  };
  std::string out = "<svg class=\"chart timed\" viewBox=\"0 0 " + coordinate(f.width) + " " + coordinate(f.height) +
                    "\" data-from=\"" + std::to_string((f.from - f.zero).count()) + "\" data-to=\"" +
                    std::to_string((f.to - f.zero).count()) + "\"" + attribute("data-labels", f.labels) +
                    (f.axis.empty() ? "" : " data-axis=\"" + html(f.axis) + "\"") + " role=\"img\">\n";
  out += behind;
  out += axis_svg(f) + "\n<svg class=\"plane\"" + attribute("x", f.left) + attribute("y", f.top) +
         attribute("width", f.plane_width) + attribute("height", f.plane_height) + " viewBox=\"0 0 " +
         coordinate(kPlaneUnits) + " " + coordinate(f.plane_height) + "\" preserveAspectRatio=\"none\">";
  out += plane;
  out += "</svg>\n";
  out += beside;
  return out + "</svg>\n";
}

std::vector<Burst> joined(std::vector<Burst> bursts, Time from, Time to, std::size_t most) {
  std::erase_if(bursts, [&](const Burst& b) { return !known(b.from) || !known(b.to) || b.to < from || b.from > to; });
  std::ranges::sort(bursts, {}, &Burst::from);
  std::vector<Burst> out;
  for (Duration near{};; near = near.count() == 0 ? (to - from) / 2000 + Duration{1} : near * 2) {
    out.clear();
    for (const Burst& b : bursts) {
      if (!out.empty() && b.from <= out.back().to + near) {
        out.back().to = std::max(out.back().to, b.to);
        out.back().requests += b.requests;
      } else {
        out.push_back({std::max(b.from, from), std::min(b.to, to), b.requests});
      }
    }
    if (out.size() <= most) return out;
  }
}

std::string hinted_rectangle(std::string_view classes, double from, double width, double right, double top, double high,
                             std::string_view hint) {
  return "<rect class=\"" + std::string(classes) + "\" x=\"" + coordinate(std::min(from, right - width)) +
         (top == 0 ? std::string() : "\" y=\"" + coordinate(top)) + "\" width=\"" + coordinate(width) + "\" height=\"" +
         coordinate(high) + "\"><title>" + html(hint) + "</title></rect>";
}

std::vector<model::Shade> shades_of(const std::vector<Burst>& bursts, Time zero, std::string_view what) {
  std::vector<model::Shade> out;
  for (const Burst& b : bursts)
    out.push_back({static_cast<double>((b.from - zero).count()), static_cast<double>((b.to - zero).count()),
                   std::string(what) + ": " + offset_text(b.from, zero) + " for " + duration_text(b.to - b.from) +
                       (b.requests == 0 ? "" : ", " + count_text(b.requests, "slow request", "slow requests"))});
  return out;
}

model::ChartAxis recording_axis(Time begin, Time end) {
  const auto length = static_cast<double>(std::max<std::int64_t>(1, (end - begin).count()));
  return {"since the recording began", 0, length, false, time_ticks(0, length)};
}

std::string strip(const std::vector<Burst>& bursts, Time begin, Time end) {
  if (!known(begin) || !known(end) || end <= begin || bursts.empty()) return {};
  constexpr double kStripHeight = 10;
  const model::ChartAxis axis = recording_axis(begin, end);
  std::string shaded;
  for (const model::Shade& s : shades_of(joined(bursts, begin, end), begin, "slow requests"))
    shaded += hinted_rectangle("episode", place(axis, s.from) * kPlaneUnits,
                               std::max(kThinnestShade, (s.to - s.from) / axis.high * kPlaneUnits), kPlaneUnits, 0,
                               kStripHeight, s.hint);
  return "<svg class=\"strip\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" role=\"img\">"
         "<rect class=\"track\" width=\"10000\" height=\"10\"/>" +
         shaded + "</svg><div class=\"strip-ends\"><span>+0 s</span><span>" + offset_text(end, begin) + "</span></div>";
}

}  // namespace tailcap::report::charts
