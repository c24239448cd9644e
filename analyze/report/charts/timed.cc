#include "analyze/report/charts/timed.h"

#include <algorithm>

#include "analyze/report/charts/axes.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::charts {
namespace {

using formats::Duration;
using formats::known;
using formats::Time;
using ground::coordinate;
using ground::Svg;
using model::Burst;

void add_axis(const TimedFrame& f, Svg& out) {
  const double from = static_cast<double>((f.from - f.zero).count()), to = static_cast<double>((f.to - f.zero).count());
  out.open("g", {{"class", "axis"}});
  for (const model::Tick& tick : time_ticks(from, to)) {
    const double x = f.left + (tick.at - from) / (to - from) * f.plane_width;
    out.leaf("path", {{"d", ground::Path()('M', {x, f.top})('V', {f.top + f.plane_height}).take()}})
        .text({{"x", x}, {"y", f.labels}, {"text-anchor", x > f.left + f.plane_width - 20 ? "end" : "middle"}},
              tick.text);
  }
  out.close("g").line();
}

}  // namespace

double plane_x(const TimedFrame& f, Time t) {
  const auto length = static_cast<double>(std::max<std::int64_t>(1, (f.to - f.from).count()));
  return std::clamp(static_cast<double>((t - f.from).count()) / length, 0.0, 1.0) * kPlaneUnits;
}

std::string timed_svg(const TimedFrame& f, std::string_view behind, std::string_view plane, std::string_view beside) {
  Svg out;
  out.open("svg", {{"class", "chart timed"},
                   {"viewBox", "0 0 " + coordinate(f.width) + " " + coordinate(f.height)},
                   {"data-from", (f.from - f.zero).count()},
                   {"data-to", (f.to - f.zero).count()},
                   {"data-labels", f.labels},
                   f.axis.empty() ? ground::Attribute() : ground::Attribute("data-axis", f.axis),
                   {"role", "img"}})
      .line()
      .add(behind);
  add_axis(f, out);
  out.open("svg", {{"class", "plane"},
                   {"x", f.left},
                   {"y", f.top},
                   {"width", f.plane_width},
                   {"height", f.plane_height},
                   {"viewBox", "0 0 " + coordinate(kPlaneUnits) + " " + coordinate(f.plane_height)},
                   {"preserveAspectRatio", "none"}})
      .add(plane)
      .close("svg")
      .line()
      .add(beside);
  return out.close("svg").line().take();
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

void add_hinted_rectangle(std::string_view classes, double from, double width, double right, double top, double high,
                          std::string_view hint, ground::Svg& out) {
  out.hinted("rect",
             {{"class", classes},
              {"x", std::min(from, right - width)},
              top == 0 ? ground::Attribute() : ground::Attribute("y", top),
              {"width", width},
              {"height", high}},
             hint);
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
  Svg out;
  out.open("svg", {{"class", "strip"}, {"viewBox", "0 0 10000 10"}, {"preserveAspectRatio", "none"}, {"role", "img"}})
      .leaf("rect", {{"class", "track"}, {"width", kPlaneUnits}, {"height", kStripHeight}});
  for (const model::Shade& s : shades_of(joined(bursts, begin, end), begin, "slow requests"))
    add_hinted_rectangle("episode", place(axis, s.from) * kPlaneUnits,
                         std::max(kThinnestShade, (s.to - s.from) / axis.high * kPlaneUnits), kPlaneUnits, 0,
                         kStripHeight, s.hint, out);
  return out.close("svg").take() + "<div class=\"strip-ends\"><span>+0 s</span><span>" + offset_text(end, begin) +
         "</span></div>";
}

}  // namespace tailcap::report::charts
