#include "analyze/tail/slow/bursts.h"

#include <algorithm>
#include <cmath>

namespace tailcap::tail::slow {

void find_bursts(std::vector<RequestInterval> slow, std::int64_t begin, std::int64_t end, model::TailStudy& out) {
  std::sort(slow.begin(), slow.end(), [](const RequestInterval& a, const RequestInterval& b) {
    return a.start != b.start ? a.start < b.start : a.end < b.end;
  });
  out.bursts = out.largest_burst = 0;
  std::int64_t until = 0, from = 0;
  std::uint64_t size = 0;
  for (const RequestInterval& s : slow) {
    if (size == 0 || s.start - until > kBurstGap) {
      ++out.bursts;
      size = 0;
      from = s.start;
      until = s.end;
    }
    until = std::max(until, s.end);
    if (++size > out.largest_burst) {
      out.largest_burst = size;
      out.largest_burst_at = formats::time_from(from);
    }
  }
  // Strewn at random over the recording, n requests leave gaps of which a share exp(-n * gap / length) is long enough.
  const double n = static_cast<double>(slow.size());
  double busy = static_cast<double>(kBurstGap);
  for (const RequestInterval& s : slow) busy += static_cast<double>(s.end - s.start) / n;
  const double length = static_cast<double>(std::max<std::int64_t>(end - begin, 1));
  out.bursts_if_spread = slow.empty() ? 0 : 1 + (n - 1) * std::exp(-n * busy / length);
}

}  // namespace tailcap::tail::slow
