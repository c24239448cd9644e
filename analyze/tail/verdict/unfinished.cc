#include "analyze/tail/verdict/unfinished.h"

#include <algorithm>
#include <utility>

#include "analyze/tail/slow/culprits.h"
#include "analyze/tail/verdict/judge.h"
#include "analyze/tail/verdict/ordinary.h"

namespace tailcap::tail::verdict {
namespace {

using formats::nanoseconds;
using model::VerdictLevel;
using slow::Item;

// Younger ones may be ordinary requests that the end of the recording cut off.
constexpr std::int64_t kLeastAge = 100'000'000;
constexpr std::int64_t kLeastAgeAlone = 1'000'000'000;  // where no request of the route has ended
constexpr std::int64_t kSevereAge = 1'000'000'000;
constexpr std::int64_t kSevereRatio = 3;  // to what is usual
constexpr std::size_t kUnfinishedExamples = 3;

// The probability that the end of the recording cuts off as many requests as old as these. Above this one, they are
// evidence of no more than that end.
constexpr double kChance = 0.01;

// ended: durations of the requests that ended. Arrivals and durations as recorded give the number of requests that are
// under way and older than kLeastAge at any moment.
bool cut_off_by_chance(std::size_t found, const std::vector<std::int64_t>& ended, double length) {
  double older = 0;
  for (const std::int64_t ns : ended) older += static_cast<double>(std::max<std::int64_t>(0, ns - kLeastAge));
  return older > 0 && length > 0 && poisson_at_least(found, older / length) > kChance;
}

// A call whose server is recorded is listed there.
bool counted(const model::RequestTable& table, std::uint32_t row) {
  return table.rows.role(row) == model::Role::server || table.rows.peer(row).connection == 0;
}

}  // namespace

std::optional<model::Verdict> unfinished_verdict(const std::vector<std::uint32_t>& rows, const Ended& ended,
                                                 const VerdictContext& around) {
  const model::RequestTable& table = around.table;
  const std::int64_t end = nanoseconds(around.study.end);
  const std::optional<std::int64_t>& usual = ended.usual;
  std::vector<Item> items;
  std::vector<std::pair<std::int64_t, std::uint32_t>> ages;
  std::size_t old_enough = 0;  // not only those that are older than is usual
  for (const std::uint32_t row : rows) {
    const auto parts = table.unfinished.parts(table.rows.id(row));
    if (parts.empty() || !counted(table, row)) continue;
    Item item;
    item.row = row;
    item.parts = parts;
    for (const model::AccountPart& part : parts) item.duration += part.time;
    // Only what is longer than its account lasted until the end of all.
    const std::int64_t age =
        item.duration < model::kUnfinishedShown ? item.duration : end - nanoseconds(table.rows.start(row));
    old_enough += age >= kLeastAge;
    if (usual ? age < kLeastAge || age <= *usual : age < kLeastAgeAlone) continue;
    items.push_back(item);
    ages.emplace_back(age, row);
  }
  if (items.empty()) return std::nullopt;
  const slow::Cohorts all = slow::one_cohort(items);
  const auto culprits = slow::culprits_of(table, items, all, around.links, around.study.quality.preamble);
  model::Verdict out = account_for_few(items, all, culprits, around);
  out.kind = model::VerdictKind::unfinished;
  out.of = rows.size();
  std::sort(ages.rbegin(), ages.rend());
  out.oldest = ages.front().first;
  out.typical = usual.value_or(0);
  out.examples.clear();
  for (std::size_t i = 0; i < std::min(kUnfinishedExamples, ages.size()); ++i)
    out.examples.push_back(table.rows.id(ages[i].second));
  for (const auto& [age, row] : ages) out.excess += std::max<std::int64_t>(0, age - out.typical);
  // Where none has ended, it may be their way to wait.
  const bool severe = usual && out.oldest >= kSevereAge && out.oldest >= kSevereRatio * *usual;
  out.level = severe ? VerdictLevel::severe : VerdictLevel::notable;
  const double length = static_cast<double>(end - nanoseconds(around.study.begin));
  const auto longest = std::ranges::max_element(ended.durations);
  const bool older_than_all = longest == ended.durations.end() || out.oldest > *longest;
  out.cut_off = !older_than_all && usual && cut_off_by_chance(old_enough, ended.durations, length);
  if (out.cut_off) out.level = VerdictLevel::note;
  return out;
}

}  // namespace tailcap::tail::verdict
