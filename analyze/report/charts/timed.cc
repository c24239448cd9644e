#include "analyze/report/charts/timed.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::charts {
namespace {

using formats::Duration;
using formats::known;
using formats::Time;
using model::Burst;

constexpr double kThinnest = 25;  // of a shade, in units of the plane: a microsecond of a minute must be seen, too

struct Tick {
  double at;  // ns from zero
  std::string text;
};

// As the page's script makes them when the plane is enlarged.
std::vector<Tick> ticks(double from, double to, double whole) {
  const double rough = (to - from) / 8, decade = std::pow(10, std::floor(std::log10(rough)));
  constexpr std::array<double, 4> kSteps = {1, 2, 5, 10};
  double step = 10 * decade;
  for (const double s : kSteps)
    if (s * decade >= rough * 0.999) {
      step = s * decade;
      break;
    }
  step = std::max(1.0, step);
  const double unit = whole >= 1e9 ? 1e9 : whole >= 1e6 ? 1e6 : 1e3;
  const char* const name = whole >= 1e9 ? "s" : whole >= 1e6 ? "ms" : "µs";
  const int digits = std::max(0, static_cast<int>(std::ceil(-std::log10(step / unit) - 1e-9)));
  std::vector<Tick> out;
  for (double n = std::ceil(from / step - 1e-9); n * step <= to * 1.000001 + 1e-9 && out.size() < 20; ++n) {
    char text[48];
    std::snprintf(text, sizeof text, "%s%.*f %s", n < 0 ? "−" : "+", digits, std::abs(n * step / unit), name);
    out.push_back({n * step, text});
  }
  return out;
}

std::string axis_svg(const TimedFrame& f) {
  const double from = static_cast<double>((f.from - f.zero).count()), to = static_cast<double>((f.to - f.zero).count());
  std::string out = "<g class=\"axis\">";
  for (const Tick& tick : ticks(from, to, std::max(std::abs(from), std::abs(to)))) {
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

std::string shades(const TimedFrame& f, const std::vector<Burst>& bursts, std::string_view classes,
                   std::string_view what) {
  std::string out;
  for (const Burst& b : bursts) {
    const double x = plane_x(f, b.from), width = std::max(plane_x(f, b.to) - x, kThinnest);
    out += "<rect class=\"" + std::string(classes) + "\" x=\"" + coordinate(std::min(x, kPlaneUnits - width)) +
           "\" width=\"" + coordinate(width) + "\" height=\"" + coordinate(f.plane_height) + "\"><title>" + html(what) +
           ": " + offset_text(b.from, f.zero) + " for " + duration_text(b.to - b.from) +
           (b.requests == 0 ? "" : ", " + count_text(b.requests, "slow request", "slow requests")) + "</title></rect>";
  }
  return out;
}

std::string strip(const std::vector<Burst>& bursts, Time begin, Time end) {
  if (!known(begin) || !known(end) || end <= begin || bursts.empty()) return {};
  TimedFrame f;
  f.from = f.zero = begin;
  f.to = end;
  f.plane_height = 10;
  return "<svg class=\"strip\" viewBox=\"0 0 10000 10\" preserveAspectRatio=\"none\" role=\"img\">"
         "<rect class=\"track\" width=\"10000\" height=\"10\"/>" +
         shades(f, joined(bursts, begin, end), "episode", "slow requests") +
         "</svg><div class=\"strip-ends\"><span>+0 s</span><span>" + offset_text(end, begin) + "</span></div>";
}

}  // namespace tailcap::report::charts
