#include "analyze/tail/verdict/effect.h"

#include <cmath>

namespace tailcap::tail::verdict {

model::VerdictLevel level_of(std::int64_t slow, std::int64_t typical) {
  using model::VerdictLevel;
  const std::int64_t gap = slow - typical;
  const double ratio = typical > 0 ? static_cast<double>(slow) / static_cast<double>(typical) : INFINITY;
  VerdictLevel level = VerdictLevel::nothing;
  if (gap >= kLeastGap && ratio >= kLeastRatio) level = VerdictLevel::note;
  if ((gap >= 10 * kLeastGap && ratio >= 2) || (gap >= kLeastGap && ratio >= 20)) level = VerdictLevel::notable;
  if (gap >= 100 * kLeastGap && ratio >= 3) level = VerdictLevel::severe;
  return level;
}

}  // namespace tailcap::tail::verdict
