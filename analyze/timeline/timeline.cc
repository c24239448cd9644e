#include "analyze/timeline/timeline.h"

#include <numeric>

#include "analyze/timeline/milestones.h"

namespace tailcap::timeline {

using model::Finding;

void measure(const model::Exchange& exchange, model::Request& row, model::Findings& findings) {
  const Milestones m = milestones(exchange);
  row.taints |= exchange.taints | m.taints;
  if (m.reordered) findings.add(Finding::negative_interval);
  row.start = formats::time_from(m.start);
  row.first_byte = formats::Duration{m.first_byte.value_or(-1)};
  row.has_duration = m.end.has_value();
  row.at_least = m.at_least.value_or(-1);
  row.has_phases = false;
  if (!m.end) return;
  row.duration = formats::Duration{*m.end - m.start};
  if (!m.phases) return;
  row.has_phases = std::accumulate(m.phases->begin(), m.phases->end(), std::int64_t{0}) == row.duration.count();
  if (row.has_phases)
    row.phases = *m.phases;
  else
    findings.add(Finding::partition_mismatch);
}

}  // namespace tailcap::timeline
