#include "analyze/tail/slow/bursts.h"

#include <algorithm>
#include <cmath>

namespace tailcap::tail::slow {

using Interval = model::Crowd::Interval;

std::vector<model::Burst> bursts_of(std::vector<Interval> requests) {
  std::sort(requests.begin(), requests.end(),
            [](const Interval& a, const Interval& b) { return a.from != b.from ? a.from < b.from : a.to < b.to; });
  std::vector<model::Burst> out;
  for (const Interval& r : requests) {
    const formats::Time from = formats::time_from(r.from), to = formats::time_from(r.to);
    if (out.empty() || r.from - formats::nanoseconds(out.back().to) > kBurstGap) out.push_back({from, to, 0});
    out.back().to = std::max(out.back().to, to);
    ++out.back().requests;
  }
  return out;
}

// n requests leave gaps of which a share exp(-n * gap / length) is long enough.
double bursts_by_chance(const std::vector<Interval>& requests, std::int64_t begin, std::int64_t end) {
  if (requests.empty()) return 0;
  const double n = static_cast<double>(requests.size());
  double busy = static_cast<double>(kBurstGap);
  for (const Interval& r : requests) busy += static_cast<double>(r.to - r.from) / n;
  const double length = static_cast<double>(std::max<std::int64_t>(end - begin, 1));
  return 1 + (n - 1) * std::exp(-n * busy / length);
}

void find_bursts(std::vector<Interval> slow, std::int64_t begin, std::int64_t end, model::TailStudy& out) {
  const std::vector<model::Burst> bursts = bursts_of(slow);
  out.bursts = bursts.size();
  out.largest_burst = 0;
  for (const model::Burst& b : bursts) {
    if (b.requests <= out.largest_burst) continue;
    out.largest_burst = b.requests;
    out.largest_burst_at = b.from;
  }
  out.bursts_if_spread = bursts_by_chance(slow, begin, end);
}

}  // namespace tailcap::tail::slow
