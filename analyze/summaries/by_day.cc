#include "analyze/summaries/by_day.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <utility>

#include "analyze/summaries/series.h"

namespace tailcap::summaries {
namespace {

using formats::SummarisedCapture;
using formats::Summary;

// What of the capture is of this day; one that has only requests of the day is there at its border.
SummarisedCapture part_of(const SummarisedCapture& whole, std::int64_t day, bool first) {
  SummarisedCapture out = whole;
  out.began = std::clamp(whole.began, day, day + kSummaryDay);
  out.ended = std::clamp(whole.ended, out.began, day + kSummaryDay);
  if (!first) out.lost = 0;
  return out;
}

}  // namespace

std::map<std::int64_t, Summary> by_day(Summary&& whole) {
  if (whole.window <= 0 || kSummaryDay % whole.window != 0)
    throw std::runtime_error("windows of this length do not end at midnight, so that days have no summaries");
  std::map<std::int64_t, Summary> out;
  for (auto& [start, window] : whole.windows)
    out[step_of(start, kSummaryDay)].windows.emplace(start, std::move(window));
  for (const SummarisedCapture& capture : whole.captures) {
    std::set<std::int64_t> days;
    for (std::int64_t day = step_of(capture.began, kSummaryDay); day < capture.ended; day += kSummaryDay)
      days.insert(day);
    days.insert(step_of(capture.began, kSummaryDay));
    if (whole.captures.size() == 1)  // its requests may have ended after the last event of their day
      for (const auto& [day, part] : out) days.insert(day);
    for (const std::int64_t day : days) out[day].captures.insert(part_of(capture, day, day == *days.begin()));
  }
  for (auto& [day, part] : out) {
    part.window = whole.window;
    part.environment = whole.environment;
    part.deployments = whole.deployments;
  }
  return out;
}

}  // namespace tailcap::summaries
