#include "analyze/report/summaries/course_svg.h"

#include <algorithm>
#include <cmath>

#include "analyze/report/summaries/words.h"
#include "ground/svg.h"

namespace tailcap::report {
namespace {

constexpr std::int64_t kCourseHour = 3'600'000'000'000;
constexpr double kWidth = 160, kHeight = 28, kEdge = 2;

// A line, and another one behind each hour without a value.
std::string path_of(const std::vector<model::HealthPoint>& course, std::int64_t from, double most) {
  const double first = static_cast<double>(course.front().from);
  const double all = std::max(static_cast<double>(course.back().from) - first, 1.0);
  ground::Path path;
  std::int64_t before = INT64_MIN;
  for (const model::HealthPoint& point : course) {
    if (!point.p95 || point.from < from) continue;
    const double x = kEdge + (kWidth - 2 * kEdge) * (static_cast<double>(point.from) - first) / all;
    const double y = kHeight - kEdge - (kHeight - 2 * kEdge) * *point.p95 / most;
    path(before != INT64_MIN && point.from - before == kCourseHour ? 'L' : 'M',
         {std::round(x * 10) / 10, std::round(y * 10) / 10});
    if (before == INT64_MIN || point.from - before != kCourseHour) path('h', {0.5});
    before = point.from;
  }
  return path.take();
}

}  // namespace

std::string course_svg(const std::vector<model::HealthPoint>& course, std::int64_t since) {
  double most = 0;
  std::size_t known = 0;
  for (const model::HealthPoint& point : course) {
    if (!point.p95) continue;
    most = std::max(most, *point.p95);
    ++known;
  }
  if (known < 2 || most <= 0) return {};
  ground::Svg out;
  out.open("svg",
           {{"class", "course"}, {"viewBox", "0 0 160 28"}, {"role", "img"}, {"width", "160"}, {"height", "28"}});
  const auto draw = [&](std::int64_t from, const char* colour) {
    const std::string data = path_of(course, from, most);
    if (data.empty()) return;
    out.hinted("path", {{"d", data}, {"fill", "none"}, {"stroke", colour}, {"stroke-width", "1.5"}},
               "highest hour: " + nanoseconds_text(most));
  };
  draw(INT64_MIN, "#0072b2");
  if (since > 0) draw(since, "#d55e00");
  return out.close("svg").take();
}

}  // namespace tailcap::report
