#include "analyze/tail/tail_study.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/statistics/whole_parts.h"
#include "analyze/tail/slow/bootstrap.h"
#include "analyze/tail/slow/bursts.h"
#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/slow/culprits.h"
#include "analyze/tail/slow/differences.h"
#include "analyze/tail/slow/exemplars.h"
#include "analyze/tail/verdict/effect.h"
#include "analyze/tail/verdict/judge.h"
#include "analyze/tail/verdict/new_calls.h"

namespace tailcap::tail {
namespace {

using formats::nanoseconds;
using model::LabelDifference;

constexpr std::size_t kLeastResampled = 40;  // requests; intervals from fewer mean nothing
constexpr double kMostlySeen = 0.5;

void add_honesty(const std::vector<slow::Item>& items, model::TailStudy& out) {
  double all = 0, unexplained = 0, causeless = 0, inferred = 0;
  for (const slow::Item& item : items)
    for (const model::AccountPart& p : item.parts) {
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
std::vector<model::LabelBand> bands_of(const std::vector<slow::Item>& items, const std::vector<std::uint32_t>& order,
                                       const slow::Columns& columns) {
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

void add_intervals(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts, const slow::Columns& columns,
                   const model::TimeBlocks& in_time, const model::TimeBlocks* groups, model::TailStudy& out) {
  slow::Spread spread = slow::resample(items, cohorts, columns, in_time);
  if (groups) spread = slow::wider(spread, slow::resample(items, cohorts, columns, *groups));
  std::vector<double> p;
  for (const auto& l : spread.labels) p.push_back(l.p);
  const std::vector<bool> found = slow::discoveries(p);
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

std::vector<std::uint32_t> connections_of(const model::RequestTable& table, const std::vector<slow::Item>& items) {
  std::vector<std::uint32_t> out;
  out.reserve(items.size());
  for (const slow::Item& item : items) out.push_back(table.rows.id(item.row).connection);
  return out;
}

void count_matching(const slow::Cohorts& cohorts, const std::vector<slow::Item>& items, model::TailStudy& out) {
  for (const slow::CohortCell& cell : cohorts.cells) {
    if (cell.level > 0) out.matched_loosely += cell.slow;
    if (cell.level + 1 == slow::kLevels) out.matched_by_route += cell.slow;
  }
  for (std::size_t i = 0; i < cohorts.slow; ++i) out.slow_lossy += items[cohorts.nth_slowest(i)].lossy;
  for (std::size_t i = cohorts.typical_from; i < cohorts.typical_to; ++i)
    out.typical_lossy += items[cohorts.order[i]].lossy;
}

// Mean time of these calls at their recorded servers, ns; 0 for those whose server was not recorded.
double mean_at_server(const model::RequestTable& table, const std::vector<slow::Item>& items,
                      std::span<const std::uint32_t> chosen, const slow::Links& links) {
  double sum = 0;
  for (const std::uint32_t i : chosen) {
    if (table.rows.role(items[i].row) != model::Role::client) return 0;
    const auto server = links.row_of(table.rows.peer(items[i].row));
    if (server && table.all().has_duration(*server)) sum += static_cast<double>(table.all().duration(*server).count());
  }
  return chosen.empty() ? 0 : sum / static_cast<double>(chosen.size());
}

// Calls that take their time at recorded servers: the routes there have the verdict.
bool explained_at_server(const model::RequestTable& table, const std::vector<slow::Item>& items,
                         const slow::Cohorts& cohorts, const slow::Links& links, const model::Verdict& verdict) {
  const std::span<const std::uint32_t> order = cohorts.order;
  const double slow = mean_at_server(table, items, order.last(cohorts.slow), links);
  if (verdict.kind == model::VerdictKind::few) return slow >= kMostlySeen * static_cast<double>(verdict.slow);
  const double typical = mean_at_server(
      table, items, order.subspan(cohorts.typical_from, cohorts.typical_to - cohorts.typical_from), links);
  return verdict.kind == model::VerdictKind::usual
             ? typical >= kMostlySeen * static_cast<double>(verdict.typical)
             : slow - typical >= kMostlySeen * static_cast<double>(verdict.slow - verdict.typical);
}

// Requests without an end are compared with nothing, as long as they lasted.
std::string doubt_of(const WithoutEnd& without_end, std::int64_t fastest_slow) {
  std::size_t n = 0;
  for (const auto* some : {&without_end.broken, &without_end.cut_off})
    n += static_cast<std::size_t>(
        std::count_if(some->begin(), some->end(), [&](std::int64_t ns) { return ns >= fastest_slow; }));
  if (n == 0) return {};
  return n == 1
             ? "1 request that broke off or was cut off had lasted as long, and is not compared"
             : std::to_string(n) + " requests that broke off or were cut off had lasted as long, and are not compared";
}

std::vector<model::Crowd::Interval> slow_spans(const model::RequestTable& table, const std::vector<slow::Item>& items,
                                               const slow::Cohorts& cohorts) {
  std::vector<model::Crowd::Interval> out;
  for (std::size_t i = 0; i < cohorts.slow; ++i) out.push_back(slow::span_of(table, items[cohorts.nth_slowest(i)]));
  return out;
}

// The second reason of a route whose slowest requests have another: what slows down those next to them, which a fixed
// share would have had among the slow ones.
void add_causes_besides(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                        const verdict::VerdictContext& around, model::TailStudy& out) {
  if (!cohorts.gap || out.verdict.kind != model::VerdictKind::tail ||
      out.verdict.level == model::VerdictLevel::nothing || cohorts.slow >= slow::cohort_places(items.size()).slow)
    return;
  std::vector<bool> slow(items.size());
  for (std::size_t i = 0; i < cohorts.slow; ++i) slow[cohorts.nth_slowest(i)] = true;
  std::vector<slow::Item> others;
  for (std::size_t i = 0; i < items.size(); ++i)
    if (!slow[i]) others.push_back(items[i]);
  const slow::Columns columns(others);
  const slow::Cohorts next = slow::fixed_cohorts_of(others);
  model::TailStudy study;
  study.slow_from = next.from;
  slow::find_differences(others, next, columns, study);
  study.culprits = slow::culprits_of(around.table, others, next, around.links, around.study.quality.preamble);
  const model::Verdict second = verdict::judge(others, next, study, around);
  if (second.kind != model::VerdictKind::tail || second.level <= model::VerdictLevel::note || second.parts.empty() ||
      second.parts.front().origin != model::Origin::service)
    return;
  const auto& first = out.verdict.parts;
  if (!first.empty() && first.front().label == second.parts.front().label) return;
  if (out.verdict.by_cause.empty() && !first.empty())
    out.verdict.by_cause.push_back({first.front(), out.verdict.requests, out.verdict.slow, false,
                                    out.verdict.examples.empty() ? model::ExchangeId{} : out.verdict.examples.front()});
  out.verdict.by_cause.push_back({second.parts.front(), second.requests, second.slow, true, second.examples.front()});
}

// What a route does only since some moment is the answer where its requests are slower since then.
void add_new_calls(const std::vector<slow::Item>& items, const verdict::VerdictContext& around, model::TailStudy& out) {
  auto calls = verdict::new_calls(items, around);
  if (!calls) return;
  const model::VerdictLevel level = verdict::level_of(calls->median_after, calls->median_before);
  if (level == model::VerdictLevel::nothing) return;
  model::Verdict& verdict = out.verdict;
  if (verdict.kind == model::VerdictKind::nothing) {
    verdict.kind = model::VerdictKind::usual;
    verdict.pattern = model::Pattern::always;
    verdict.parts.clear();
  }
  verdict.level = std::max(verdict.level, level);
  if (verdict.kind == model::VerdictKind::usual) {
    verdict.excess = (calls->median_after - calls->median_before) * static_cast<std::int64_t>(calls->after);
    verdict.examples.clear();
    for (const slow::Item& item : items)
      if (around.table.rows.start(item.row) >= calls->since && verdict.examples.size() < 3)
        verdict.examples.push_back(around.table.rows.id(item.row));
  }
  verdict.new_calls = std::move(calls);
}

}  // namespace

std::optional<model::TailStudy> study_tail(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                           const model::Study& study, const slow::Links& links,
                                           const RouteFacts& facts) {
  const std::vector<slow::Item> items = slow::items_of(table, rows, links, facts.mixed);
  if (items.empty()) return std::nullopt;
  model::TailStudy out;
  out.requests = items.size();
  add_honesty(items, out);
  const slow::Columns columns(items);
  const slow::Cohorts cohorts = slow::cohorts_of(items);
  const verdict::VerdictContext around{table, study, links};
  if (cohorts.needed > 0) {
    const slow::Cohorts all = slow::one_cohort(items);
    out.culprits = slow::culprits_of(table, items, all, links, study.quality.preamble);
    out.verdict = verdict::account_for_few(items, all, out.culprits, around);
    if (explained_at_server(table, items, all, links, out.verdict)) out.verdict = {};
    return out;
  }
  out.slow_from = cohorts.from;
  if (const model::Quantile* q = cohorts.from >= 0.99 ? facts.p99 : facts.p95;
      q && q->support == model::Support::refused)
    out.doubt = q->reason;
  else if (facts.without_end)
    out.doubt = doubt_of(*facts.without_end, items[cohorts.nth_slowest(cohorts.slow - 1)].duration);
  out.slow = cohorts.slow;
  out.typical = cohorts.typical_to - cohorts.typical_from;
  slow::find_differences(items, cohorts, columns, out);
  count_matching(cohorts, items, out);
  const std::int64_t begin = nanoseconds(study.begin), end = nanoseconds(study.end);
  slow::find_bursts(slow_spans(table, items, cohorts), begin, end, out);
  model::TimeBlocks groups;
  if (facts.sampled) groups = model::groups_of_connections(connections_of(table, items));
  if (items.size() >= kLeastResampled && (!facts.sampled || groups.count > 0))
    add_intervals(items, cohorts, columns,
                  model::blocks_in_time(items.size(), facts.correlation, static_cast<double>(end - begin) * 1e-9),
                  facts.sampled ? &groups : nullptr, out);
  std::stable_sort(out.labels.begin(), out.labels.end(),
                   [](const LabelDifference& a, const LabelDifference& b) { return a.difference() > b.difference(); });
  out.ordinary_slow_mean = verdict::ordinary_slow_mean(items, cohorts.from);
  out.bands = bands_of(items, cohorts.order, columns);
  out.culprits = slow::culprits_of(table, items, cohorts, links, study.quality.preamble);
  out.verdict = verdict::judge(items, cohorts, out, around);
  add_causes_besides(items, cohorts, around, out);
  if (explained_at_server(table, items, cohorts, links, out.verdict)) out.verdict = {};
  add_new_calls(items, around, out);
  out.exemplars = slow::exemplars_of(items, cohorts, columns, out);
  return out;
}

}  // namespace tailcap::tail
