#include "analyze/report/charts/latency_chart.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/study/figure.h"
#include "analyze/report/charts/log_axis.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::charts {
namespace {

using model::CcdfPoint;

constexpr double kNarrow = 560, kWide = 860, kLeft = 62, kRight = 56, kTop = 10, kHigh = 205;  // one curve, several
constexpr std::size_t kPoints = 200;  // of a curve: more cannot be seen
constexpr std::size_t kColumns = 60;  // in which values are shown under the mouse
constexpr std::size_t kName = 40;     // of a route under the mouse
constexpr double kLeastShare = 1e-6;

struct Curve {
  std::string name, colour;
  std::vector<CcdfPoint> points;  // by duration
};

std::vector<CcdfPoint> points_of(const model::RouteStudy& route) {
  std::vector<CcdfPoint> all, out;
  for (const CcdfPoint& p : route.ccdf)
    if (p.at.count() > 0 && p.share_above >= kLeastShare && p.share_above <= 1) all.push_back(p);
  const std::size_t n = std::min(all.size(), kPoints);
  for (std::size_t k = 0; k < n; ++k) out.push_back(all[n < 2 ? 0 : k * (all.size() - 1) / (n - 1)]);
  return out;
}

std::string share_name(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", share * 100);
  return text;
}

class Chart {
 public:
  Chart(std::vector<Curve> curves, double width)
      : curves_(std::move(curves)), width_(width), plane_width_(width - kLeft - kRight) {
    double least = 0.1;
    for (const Curve& curve : curves_)
      for (const CcdfPoint& p : curve.points) {
        axis_.include(p.at);
        least = std::min(least, p.share_above);
      }
    floor_ = std::pow(10, std::floor(std::log10(least) + 1e-6));
  }

  std::string svg(const model::RouteStudy* single) const {
    std::string out = "<svg class=\"chart\" viewBox=\"0 0 " + coordinate(width_) + " " + coordinate(kTop + kHigh + 38) +
                      "\" role=\"img\">\n" + grid();
    for (const Curve& curve : curves_) {
      std::string path;
      for (const CcdfPoint& p : curve.points)
        path += (path.empty() ? "M" : "L") + coordinate(x(p.at)) + " " + coordinate(y(p.share_above));
      out += "<path class=\"curve\" stroke=\"" + curve.colour + "\" d=\"" + path + "\"/>\n";
    }
    if (single) out += intervals(*single);
    return out + hits() + "</svg>\n";
  }

 private:
  double x(Duration d) const { return kLeft + axis_.at(d) * plane_width_; }
  double y(double share) const { return kTop + kHigh * std::log(std::max(share, floor_)) / std::log(floor_); }

  std::string grid() const {
    std::string out;
    for (const auto& [share, text] : axis_.ticks()) {
      const std::string at = coordinate(kLeft + share * plane_width_);
      out += "<path class=\"grid\" d=\"M" + at + " " + coordinate(kTop) + "v" + coordinate(kHigh) + "\"/><text x=\"" +
             at + "\" y=\"" + coordinate(kTop + kHigh + 17) + "\" text-anchor=\"middle\">" + text + "</text>";
    }
    constexpr const char* kQuantiles[] = {"", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999"};
    std::size_t n = 0;
    for (double share = 1; share > floor_ * 0.99 && n < std::size(kQuantiles); share /= 10, ++n) {
      const std::string at = coordinate(y(share));
      out += "<path class=\"grid\" d=\"M" + coordinate(kLeft) + " " + at + "h" + coordinate(plane_width_) +
             "\"/><text x=\"" + coordinate(kLeft - 6) + "\" y=\"" + at + "\" dy=\"4\" text-anchor=\"end\">" +
             share_name(share) + "</text><text x=\"" + coordinate(kLeft + plane_width_ + 6) + "\" y=\"" + at +
             "\" dy=\"4\">" + kQuantiles[n] + "</text>";
    }
    return out + "<text x=\"" + coordinate(kLeft + plane_width_ / 2) + "\" y=\"" + coordinate(kTop + kHigh + 34) +
           "\" text-anchor=\"middle\">took longer than</text>\n";
  }

  std::string intervals(const model::RouteStudy& route) const {
    std::string out;
    for (const model::Quantile& q : route.latency) {
      const bool has = q.support == model::Support::full || q.support == model::Support::low;
      if (!has || q.low.count() <= 0 || q.high <= q.low || q.q >= 1 || 1 - q.q < floor_) continue;
      const std::string at = coordinate(y(1 - q.q));
      out += "<path class=\"curve\" stroke=\"#d55e00\" style=\"stroke-width:5px\" d=\"M" + coordinate(x(q.low)) + " " +
             at + "H" + coordinate(x(q.high)) + "\"/>";
    }
    return out;
  }

  // By how many requests of each route the middle of a column is exceeded.
  std::string hits() const {
    std::string out;
    for (std::size_t i = 0; i < kColumns; ++i) {
      const double share = (static_cast<double>(i) + 0.5) / kColumns;
      const Duration d = axis_.value(share);
      std::string text = "longer than " + duration_text(d) + ":";
      for (const Curve& curve : curves_) {
        const auto after = std::ranges::upper_bound(curve.points, d, {}, &CcdfPoint::at);
        const double above = after == curve.points.begin() ? 1
                             : after == curve.points.end() ? 0
                                                           : after[-1].share_above;
        text += (curves_.size() == 1 ? " " : "\n") + (above <= 0 ? std::string("none") : share_text(above, 1.0)) +
                (curves_.size() == 1 ? "" : "  " + curve.name);
      }
      out += "<rect class=\"hit\" x=\"" + coordinate(kLeft + static_cast<double>(i) * plane_width_ / kColumns) +
             "\" y=\"" + coordinate(kTop) + "\" width=\"" + coordinate(plane_width_ / kColumns) + "\" height=\"" +
             coordinate(kHigh) + "\"><title>" + html(text) + "</title></rect>";
    }
    return out + "\n";
  }

  std::vector<Curve> curves_;
  double width_, plane_width_;
  LogAxis axis_;
  double floor_ = 0.1;
};

}  // namespace

std::optional<render::Figure> latency_chart(const model::Study& study, const std::vector<std::size_t>& routes) {
  std::vector<Curve> curves;
  const model::RouteStudy* single = nullptr;
  std::size_t candidates = 0;
  bool doubtful = false;
  for (const std::size_t i : routes) {
    const model::RouteStudy& route = study.routes[i];
    std::vector<CcdfPoint> points = points_of(route);
    if (points.empty()) continue;
    if (++candidates > model::kCurveColours) continue;
    doubtful |= route.latency_tainted != 0;
    single = curves.empty() ? &route : nullptr;
    curves.push_back({shortened(route_title(route), kName) + (route.role == model::Role::client ? " (made)" : ""),
                      std::string(model::curve_colour(curves.size())), std::move(points)});
  }
  if (curves.empty()) return std::nullopt;
  render::Figure out;
  const bool many = routes.size() > 1;
  if (many)
    for (const Curve& curve : curves) out.legend.push_back({curve.name, curve.colour});
  else
    out.legend = {{"requests", curves.front().colour}, {"95 % interval of a percentile", "#d55e00"}};
  out.caption = std::string("Share of requests that took longer than a duration") + (many ? ", by route." : ".");
  if (doubtful) out.caption += " Requests whose duration is in doubt are left out; they may be slower.";
  if (candidates > curves.size())
    out.caption += " The " + std::to_string(curves.size()) + " routes with most total time; " +
                   std::to_string(candidates - curves.size()) + " more are not drawn.";
  out.svg = many ? Chart(std::move(curves), kWide).svg(nullptr) : Chart(std::move(curves), kNarrow).svg(single);
  return out;
}

}  // namespace tailcap::report::charts
