#include "analyze/tail/slow/tail_study.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/whole_parts.h"
#include "analyze/tail/slow/bootstrap.h"
#include "analyze/tail/slow/bursts.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/slow/culprits.h"
#include "analyze/tail/slow/differences.h"
#include "analyze/tail/slow/exemplars.h"
#include "analyze/tail/slow/verdict.h"

namespace tailcap::tail::slow {
namespace {

using formats::nanoseconds;
using model::LabelDifference;

constexpr double kBandEdges[] = {0, 0.5, 0.9, 0.99, 1};

void add_honesty(const std::vector<Item>& items, model::TailStudy& out) {
  double all = 0, unexplained = 0, causeless = 0, inferred = 0;
  for (const Item& item : items)
    for (const model::Part& p : item.parts) {
      const auto ns = static_cast<double>(p.time);
      all += ns;
      if (model::unexplained(p.label))
        unexplained += ns;
      else if (model::causeless(p.label))
        causeless += ns;
      else if (p.evidence != model::Evidence::measured)
        inferred += ns;
    }
  out.unexplained = all > 0 ? unexplained / all : 0;
  out.causeless = all > 0 ? causeless / all : 0;
  out.inferred = all > 0 ? inferred / all : 0;
}

// order: fastest first.
std::vector<model::LabelBand> bands_of(const std::vector<Item>& items, const std::vector<std::uint32_t>& order,
                                       const Columns& columns) {
  std::vector<model::LabelBand> out;
  std::size_t at = 0;
  for (std::size_t b = 0; b + 1 < std::size(kBandEdges); ++b) {
    model::LabelBand band{.from = kBandEdges[b], .to = kBandEdges[b + 1]};
    const auto end =
        std::min(items.size(), static_cast<std::size_t>(std::ceil(band.to * static_cast<double>(items.size()) - 1e-9)));
    std::vector<double> sums(columns.size());
    for (; at < end; ++at, ++band.count) columns.add(items[order[at]], sums);
    for (double& s : sums) s /= static_cast<double>(std::max<std::uint64_t>(band.count, 1));
    const auto means = model::whole_parts(sums);
    for (std::size_t c = 0; c < means.size(); ++c) {
      band.mean += means[c];
      if (means[c] != 0) band.labels.emplace_back(columns.label(c), means[c]);
    }
    out.push_back(std::move(band));
  }
  return out;
}

void add_intervals(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns, double correlation,
                   double seconds, model::TailStudy& out) {
  const Spread spread = resample(items, cohorts, columns, correlation, seconds);
  std::vector<double> p;
  for (const auto& l : spread.labels) p.push_back(l.p);
  const std::vector<bool> found = discoveries(p);
  out.blocks = spread.blocks;
  out.intervals = true;
  out.gap_low = std::llround(spread.low);
  out.gap_high = std::llround(spread.high);
  for (std::size_t c = 0; c < out.labels.size(); ++c) {
    out.labels[c].low = std::llround(spread.labels[c].low);
    out.labels[c].high = std::llround(spread.labels[c].high);
    out.labels[c].significant = found[c] && spread.labels[c].low > 0;
  }
}

void count_matching(const Cohorts& cohorts, const std::vector<Item>& items, model::TailStudy& out) {
  for (const CohortCell& cell : cohorts.cells) {
    if (cell.level > 0) out.matched_loosely += cell.slow;
    if (cell.level + 1 == kLevels) out.matched_by_route += cell.slow;
  }
  for (std::size_t i = 0; i < cohorts.slow; ++i) out.slow_lossy += items[cohorts.nth_slowest(i)].lossy;
  for (std::size_t i = cohorts.typical_from; i < cohorts.typical_to; ++i)
    out.typical_lossy += items[cohorts.order[i]].lossy;
}

std::vector<RequestInterval> spans_of(const model::RequestTable& table, const std::vector<Item>& items,
                                      const Cohorts& cohorts) {
  std::vector<RequestInterval> out;
  for (std::size_t i = 0; i < cohorts.slow; ++i) {
    const Item& item = items[cohorts.nth_slowest(i)];
    const std::int64_t start = nanoseconds(table.rows.start(item.row));
    out.push_back({start, start + item.duration});
  }
  return out;
}

}  // namespace

std::optional<model::TailStudy> study_tail(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                           const model::Study& study, const Links& links, const RouteFacts& facts) {
  const std::vector<Item> items = items_of(table, rows, links, facts.mixed);
  if (items.empty()) return std::nullopt;
  model::TailStudy out;
  out.requests = items.size();
  add_honesty(items, out);
  const Columns columns(items);
  const Cohorts cohorts = cohorts_of(items);
  if (cohorts.needed > 0) {
    out.requests_needed = cohorts.needed;
    out.reason = "only " + std::to_string(items.size()) + (items.size() == 1 ? " request" : " requests") +
                 " could be followed, and " + std::to_string(cohorts.needed) + " are needed";
    return out;
  }
  out.slow_from = cohorts.from;
  // Where it is not known which requests are the slowest there is nothing to compare.
  if (const model::Quantile* q = cohorts.from >= 0.99 ? facts.p99 : facts.p95;
      q && q->support == model::Support::refused) {
    out.reason = "which requests are the slowest is not known: " + q->reason;
    return out;
  }
  out.slow = cohorts.slow;
  out.typical = cohorts.typical_to - cohorts.typical_from;
  find_differences(items, cohorts, columns, out);
  count_matching(cohorts, items, out);
  const std::int64_t begin = nanoseconds(study.begin), end = nanoseconds(study.end);
  find_bursts(spans_of(table, items, cohorts), begin, end, out);
  add_intervals(items, cohorts, columns, facts.correlation, static_cast<double>(end - begin) * 1e-9, out);
  std::stable_sort(out.labels.begin(), out.labels.end(),
                   [](const LabelDifference& a, const LabelDifference& b) { return a.difference() > b.difference(); });
  decide(items, table.rows.role(rows.front()) == model::Role::server, facts.noise, out);
  out.bands = bands_of(items, cohorts.order, columns);
  out.culprits = culprits_of(table, items, cohorts, links);
  out.exemplars = exemplars_of(items, cohorts, columns, out);
  return out;
}

}  // namespace tailcap::tail::slow
