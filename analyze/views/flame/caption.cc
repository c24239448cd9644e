#include "analyze/views/flame/caption.h"

#include <algorithm>
#include <string>

#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::views {

using formats::Duration;
using formats::SampleKind;

namespace {

std::string amount(const FlameChoice& choice, std::uint64_t value) {
  if (!choice.off_cpu && choice.samples == SampleKind::allocation) return report::bytes_text(value);
  return choice.off_cpu ? report::duration_text(Duration(static_cast<std::int64_t>(value)))
                        : std::to_string(value) + (value == 1 ? " sample" : " samples");
}

}  // namespace

Ranking rank(std::vector<RankedRequest>& requests, FlameRequests cohort) {
  std::sort(requests.begin(), requests.end(), [](const RankedRequest& a, const RankedRequest& b) {
    return a.duration != b.duration ? a.duration < b.duration : a.row < b.row;
  });
  Ranking out;
  if (cohort == FlameRequests::all) {
    out.slow = requests.size();
    return out;
  }
  std::vector<std::int64_t> durations;
  durations.reserve(requests.size());
  for (const RankedRequest& r : requests) durations.push_back(r.duration);
  const tail::slow::CohortPlaces places = tail::slow::cohort_places(durations);
  out.needed = places.needed;
  if (out.needed != 0) return out;
  out.slow = places.slow;
  out.slow_from = requests[requests.size() - places.slow].duration;
  out.typical_from = places.typical_from;
  out.typical_to = places.typical_to;
  return out;
}

void describe(const FlameChoice& choice, const Ranking* ranking, const flame::Folder& folder, FlameResult& result) {
  auto& flame = result.flame;
  flame.time = choice.off_cpu;
  flame.comparison = choice.cohort == FlameRequests::both;
  flame.bytes = !choice.off_cpu && choice.samples == SampleKind::allocation;
  flame.title = choice.off_cpu                            ? "Off the CPU"
                : flame.bytes                             ? "Allocated, estimated"
                : choice.samples == SampleKind::preempted ? "Preempted by Go's scheduler"
                                                          : "On the CPU";
  if (!choice.title.empty()) flame.title += ": " + choice.title;
  if (choice.ids.size() == 1) flame.title += ": request " + report::id_text(choice.ids.front());
  flame.subtitle = amount(choice, folder.total(false));
  if (result.waits_with_stack > 0)
    flame.subtitle +=
        "; stacks of " + std::to_string(result.waits_with_stack) + " of " + std::to_string(result.waits) + " waits";
  if (!ranking) return;
  result.requests = choice.cohort == FlameRequests::typical ? ranking->typical() : ranking->slow;
  flame.subtitle += " of " + std::to_string(result.requests) +
                    (choice.cohort == FlameRequests::all       ? ""
                     : choice.cohort == FlameRequests::typical ? " typical"
                                                               : " slow") +
                    (result.requests == 1 ? " request" : " requests");
  if (choice.cohort == FlameRequests::slow || flame.comparison)
    flame.subtitle += " (" + report::duration_text(Duration(ranking->slow_from)) + " and longer)";
  if (flame.comparison)
    flame.subtitle += " against " + amount(choice, folder.total(true)) + " of " + std::to_string(ranking->typical()) +
                      " typical ones, per request";
  if (result.left_out > 0)
    flame.subtitle += "; " + amount(choice, result.left_out) + " left out: several requests under way";
}

}  // namespace tailcap::views
