#include "analyze/tail/verdict/effect.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/label_group.h"

namespace tailcap::tail::verdict {
namespace {

// Than what a request does besides waiting in the queue. Requests of a closed loop wait for their like.
constexpr std::int64_t kMuchSlower = 3;

}  // namespace

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

model::VerdictLevel level_of_usual(const model::VerdictPart& part, std::uint32_t row, std::int64_t typical,
                                   const VerdictContext& around) {
  using model::VerdictLevel;
  if (model::group_of(part.label) != model::LabelGroup::queue || !part.who || part.who->route == 0)
    return VerdictLevel::note;
  const model::Request own = around.table.all()[row];
  const auto other = around.links.row_of(part.who->example);
  if (!other || (part.who->route == own.route && part.who->method == own.method)) return VerdictLevel::note;
  const std::int64_t work = typical - part.typical;
  if (around.table.all().duration(*other).count() < kMuchSlower * std::max<std::int64_t>(work, 1))
    return VerdictLevel::note;
  return std::clamp(level_of(typical, work), VerdictLevel::note, VerdictLevel::notable);
}

}  // namespace tailcap::tail::verdict
