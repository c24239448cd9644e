#include "analyze/report/charts/time_chart.h"

#include <algorithm>

#include "analyze/report/charts/log_axis.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::charts {
namespace {

using formats::known;
using formats::Time;
using model::TimePoint;

constexpr std::uint64_t kForP99 = 100;  // requests in an interval; of fewer the p99 is the slowest by another name

// Not colours of labels.
constexpr const char *kMedian = "var(--fg)", *kP99 = "#c0272d", *kSlowest = "#8a8f94";

class Chart {
 public:
  Chart(const model::Study& study, const model::RouteStudy& route) : points_(route.over_time) {
    frame_.from = frame_.zero = study.begin;
    frame_.to = std::max(study.end, points_.back().from + Duration{1});
    frame_.axis = kRecordingAxis;
    width_ = frame_.to - frame_.from;
    for (std::size_t i = 1; i < points_.size(); ++i) width_ = std::min(width_, points_[i].from - points_[i - 1].from);
    for (const TimePoint& p : points_)
      if (p.count > 0)
        for (const Duration d : {p.p50, p.max}) axis_.include(d);
  }
  bool empty() const { return axis_.empty(); }
  bool has_p99() const {
    return std::ranges::any_of(points_, [](const TimePoint& p) { return p.count >= kForP99; });
  }
  Duration width() const { return width_; }

  std::string svg(const model::Study& study, const std::vector<model::Burst>& episodes) const {
    std::vector<model::Burst> losses;
    for (const auto& loss : study.quality.losses)
      if (known(loss.to)) losses.push_back({known(loss.from) ? loss.from : frame_.from, loss.to, 0});
    const std::string plane =
        shades(frame_, joined(episodes, frame_.from, frame_.to), "episode", "episode") +
        shades(frame_, joined(std::move(losses), frame_.from, frame_.to), "lost", "events lost") +
        curve(kSlowest, " thin", [](const TimePoint& p) { return p.max; }) +
        curve(kP99, "", [](const TimePoint& p) { return p.count >= kForP99 ? p.p99 : Duration{}; }) +
        curve(kMedian, "", [](const TimePoint& p) { return p.p50; }) + hits();
    std::string behind;
    for (const auto& [share, text] : axis_.ticks()) {
      const std::string y = coordinate(frame_.top + frame_.plane_height * (1 - share));
      behind += "<path class=\"grid\" d=\"M" + coordinate(frame_.left) + " " + y + "h" +
                coordinate(frame_.plane_width) + "\"/><text x=\"" + coordinate(frame_.left - 6) + "\" y=\"" + y +
                "\" dy=\"4\" text-anchor=\"end\">" + text + "</text>";
    }
    return timed_svg(frame_, behind + "\n", plane, "");
  }

 private:
  Time end_of(std::size_t i) const {
    return std::min(points_[i].from + width_, i + 1 < points_.size() ? points_[i + 1].from : frame_.to);
  }

  // A level line over each interval: what was measured there, and nothing where there were none.
  template <class Value>
  std::string curve(const char* colour, const char* classes, Value value) const {
    std::string path;
    bool down = false;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const Duration d = points_[i].count == 0 ? Duration{} : value(points_[i]);
      if (d.count() <= 0) {
        down = false;
        continue;
      }
      if (i > 0 && end_of(i - 1) < points_[i].from) down = false;
      const std::string y = coordinate(frame_.plane_height * (1 - axis_.at(d)));
      path += (down ? "L" : "M") + coordinate(plane_x(frame_, points_[i].from)) + " " + y + "H" +
              coordinate(plane_x(frame_, end_of(i)));
      down = true;
    }
    if (path.empty()) return {};
    return "<path class=\"curve" + std::string(classes) + "\" style=\"stroke:" + colour + "\" d=\"" + path + "\"/>";
  }

  std::string hits() const {
    std::string out;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const TimePoint& p = points_[i];
      if (p.count == 0) continue;
      const double x = plane_x(frame_, p.from);
      out += "<rect class=\"hit\" x=\"" + coordinate(x) + "\" width=\"" +
             coordinate(std::max(1.0, plane_x(frame_, end_of(i)) - x)) + "\" height=\"" +
             coordinate(frame_.plane_height) + "\"><title>" + offset_text(p.from, frame_.zero) + ": " +
             count_text(p.count, "request", "requests") +
             (p.errors > 0 ? ", " + count_text(p.errors, "error", "errors") : "") + "\nmedian " + duration_text(p.p50) +
             (p.count >= kForP99 ? ", p99 " + duration_text(p.p99) : "") + ", slowest " + duration_text(p.max) +
             "</title></rect>";
    }
    return out;
  }

  const std::vector<TimePoint>& points_;
  TimedFrame frame_;
  Duration width_{};
  LogAxis axis_;
};

}  // namespace

std::optional<render::Figure> time_chart(const model::Study& study, const model::RouteStudy& route,
                                         const std::vector<model::Burst>& episodes) {
  if (route.over_time.empty() || !known(study.begin) || !known(study.end)) return std::nullopt;
  const Chart chart(study, route);
  if (chart.empty()) return std::nullopt;
  render::Figure out;
  out.svg = chart.svg(study, episodes);
  out.legend = {{"median", kMedian}};
  if (chart.has_p99()) out.legend.push_back({"p99, where at least 100 began", kP99});
  out.legend.push_back({"slowest", kSlowest});
  if (!episodes.empty()) out.legend.push_back({"episodes of the answers above", "#d55e0055"});
  if (!study.quality.losses.empty()) out.legend.push_back({"events lost, requests may be missing", "#cc79a7"});
  out.caption = "Requests of each " + duration_text(chart.width()) +
                ", by when they began. Drag to enlarge all plots of time; a double click shows all.";
  return out;
}

}  // namespace tailcap::report::charts
