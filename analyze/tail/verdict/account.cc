#include "analyze/tail/verdict/account.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/study/tail_study.h"

namespace tailcap::tail::verdict {
namespace {

using model::Label;
using model::VerdictPart;

using Times = std::array<double, model::kLabels>;  // by part_of()

std::size_t index(Label label) { return static_cast<std::size_t>(label); }

void sort_parts(VerdictParts& account, const Times& typical, std::span<const Times> each) {
  std::stable_sort(account.parts.begin(), account.parts.end(),
                   [](const VerdictPart& a, const VerdictPart& b) { return a.difference() > b.difference(); });
  for (const Times& own : each) {
    std::size_t most = 0;
    double largest = -INFINITY;
    for (std::size_t p = 0; p < account.parts.size(); ++p) {
      const std::size_t at = index(part_of(account.parts[p].label));
      if (own[at] - typical[at] <= largest) continue;
      largest = own[at] - typical[at];
      most = p;
    }
    account.mainly.push_back(static_cast<std::uint32_t>(most));
    if (!account.parts.empty()) ++account.parts[most].mainly;
  }
}

}  // namespace

bool has(const VerdictPart& part, Label label) {
  return std::find(part.labels.begin(), part.labels.end(), label) != part.labels.end();
}

Label part_of(Label label) {
  switch (label) {
    case Label::sched_preempted:
      return Label::sched_runq;
    case Label::cpu_user:
    case Label::cpu_kernel:
    case Label::cpu_irq:
      return Label::cpu;
    default:
      return label;
  }
}

VerdictParts account_of(const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                        const model::TailStudy& tail) {
  VerdictParts out;
  Times typical{}, crowded{}, time{};
  std::array<VerdictPart, model::kLabels> by_part{};
  std::array<std::int64_t, model::kLabels> largest{}, inferred{};
  for (const model::LabelDifference& d : tail.labels) {
    const std::size_t at = index(part_of(d.label));
    VerdictPart& part = by_part[at];
    if (part.labels.empty() || d.difference() > largest[at]) {
      part.label = d.label;
      largest[at] = d.difference();
    }
    part.labels.push_back(d.label);
    part.slow += d.slow;
    part.typical += d.typical;
    inferred[at] += d.slow_inferred;
    typical[at] += static_cast<double>(d.typical);
  }
  std::vector<Times> each(cohorts.slow);
  for (std::size_t i = 0; i < cohorts.slow; ++i)
    for (const model::AccountPart& p : items[cohorts.nth_slowest(i)].parts) {
      const std::size_t at = index(part_of(p.label));
      each[i][at] += static_cast<double>(p.time);
      time[at] += static_cast<double>(p.time);
      crowded[at] += static_cast<double>(p.time) * p.crowded_share();
    }
  for (std::size_t at = 0; at < by_part.size(); ++at) {
    VerdictPart& part = by_part[at];
    if (part.labels.empty()) continue;
    part.crowded = time[at] > 0 ? crowded[at] / time[at] : 0;
    part.inferred = 2 * inferred[at] > part.slow;
    out.parts.push_back(part);
  }
  sort_parts(out, typical, each);
  return out;
}

VerdictParts account_of(const std::vector<slow::Item>& items) {
  VerdictParts out;
  if (items.empty()) return out;
  Times time{}, crowded{}, inferred{};
  std::vector<Times> each(items.size());
  std::array<std::array<double, model::kLabels>, model::kLabels> labels{};
  for (std::size_t i = 0; i < items.size(); ++i)
    for (const model::AccountPart& p : items[i].parts) {
      const std::size_t at = index(part_of(p.label));
      const auto ns = static_cast<double>(p.time);
      each[i][at] += ns;
      time[at] += ns;
      crowded[at] += ns * p.crowded_share();
      if (p.evidence == model::Evidence::inferred) inferred[at] += ns;
      labels[at][index(p.label)] += ns;
    }
  for (std::size_t at = 0; at < time.size(); ++at) {
    if (time[at] <= 0) continue;
    VerdictPart part;
    const auto most = std::max_element(labels[at].begin(), labels[at].end());
    part.label = static_cast<Label>(most - labels[at].begin());
    for (std::size_t l = 0; l < labels[at].size(); ++l)
      if (labels[at][l] > 0) part.labels.push_back(static_cast<Label>(l));
    part.slow = std::llround(time[at] / static_cast<double>(items.size()));
    part.crowded = crowded[at] / time[at];
    part.inferred = 2 * inferred[at] > time[at];
    out.parts.push_back(std::move(part));
  }
  sort_parts(out, Times{}, each);
  return out;
}

}  // namespace tailcap::tail::verdict
