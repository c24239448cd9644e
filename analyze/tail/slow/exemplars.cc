#include "analyze/tail/slow/exemplars.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tailcap::tail::slow {
namespace {

constexpr std::size_t kLookedAt = 400;  // requests among which the most representative one is looked for

// Between two typical requests that are looked at.
std::size_t typical_step(const CohortPlaces& cohorts) {
  return (cohorts.typical_to - cohorts.typical_from) / (10 * kLookedAt) + 1;
}

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]);
  return sum;
}

class Finder {
 public:
  Finder(const std::vector<Item>& items, const Cohorts& cohorts, const Columns& columns, const model::TailStudy& study)
      : items_(items), cohorts_(cohorts), columns_(columns), slow_(columns.size()), typical_(columns.size()) {
    for (const auto& d : study.labels) {
      slow_[columns.of(d.label)] = static_cast<double>(d.slow);
      typical_[columns.of(d.label)] = static_cast<double>(d.typical);
    }
  }

  // The place among the slowest of the one nearest to the mean of them.
  std::size_t representative() const {
    const std::size_t step = cohorts_.slow / kLookedAt + 1;
    std::size_t best = 0;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < cohorts_.slow; i += step)
      if (const double d = distance(times(cohorts_.nth_slowest(i)), slow_); d < least) {
        least = d;
        best = i;
      }
    return best;
  }

  // The slowest that takes longer than typical ones mostly for another reason than `not_for`; slow: there is none.
  std::size_t other_reason(model::Label not_for) const {
    for (std::size_t i = 0; i < cohorts_.slow; ++i) {
      const std::vector<double> own = times(cohorts_.nth_slowest(i));
      std::size_t most = 0;
      for (std::size_t c = 1; c < own.size(); ++c)
        if (own[c] - typical_[c] > own[most] - typical_[most]) most = c;
      if (columns_.label(most) != not_for) return i;
    }
    return cohorts_.slow;
  }

  // The typical request of the same cell nearest to what is typical, not yet taken.
  std::uint32_t match(std::size_t nth, std::vector<std::uint32_t>& taken) const {
    const CohortCell& cell = cohorts_.cells[cohorts_.cell_of[nth]];
    const std::size_t step = typical_step(cohorts_);
    std::uint32_t best = cohorts_.order[cohorts_.typical_from];
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = cohorts_.typical_from; i < cohorts_.typical_to; i += step) {
      const std::uint32_t at = cohorts_.order[i];
      if (!cell.holds(items_[at]) || std::find(taken.begin(), taken.end(), at) != taken.end()) continue;
      if (const double d = distance(times(at), typical_); d < least) {
        least = d;
        best = at;
      }
    }
    taken.push_back(best);
    return best;
  }

 private:
  std::vector<double> times(std::uint32_t item) const {
    std::vector<double> out(columns_.size());
    columns_.add(items_[item], out);
    return out;
  }

  const std::vector<Item>& items_;
  const Cohorts& cohorts_;
  const Columns& columns_;
  std::vector<double> slow_, typical_;
};

}  // namespace

std::vector<model::Exemplar> exemplars_of(const std::vector<Item>& items, const Cohorts& cohorts,
                                          const Columns& columns, const model::TailStudy& study) {
  const Finder finder(items, cohorts, columns, study);
  std::vector<model::Exemplar> out;
  std::vector<std::uint32_t> taken;
  std::vector<std::size_t> chosen;
  const auto add = [&](std::size_t nth, model::Exemplar::Why why) {
    if (nth >= cohorts.slow || std::find(chosen.begin(), chosen.end(), nth) != chosen.end()) return;
    chosen.push_back(nth);
    out.push_back({items[cohorts.nth_slowest(nth)].row, items[finder.match(nth, taken)].row, why});
  };
  add(0, model::Exemplar::Why::slowest);
  add(finder.representative(), model::Exemplar::Why::representative);
  if (!study.labels.empty()) add(finder.other_reason(study.labels.front().label), model::Exemplar::Why::second_cause);
  return out;
}

std::vector<std::size_t> exemplar_places(const CohortPlaces& cohorts, std::size_t requests) {
  std::vector<std::size_t> out;
  for (std::size_t i = requests - cohorts.slow; i < requests; ++i) out.push_back(i);
  const std::size_t step = typical_step(cohorts);
  for (std::size_t i = cohorts.typical_from; i < cohorts.typical_to; i += step) out.push_back(i);
  return out;
}

}  // namespace tailcap::tail::slow
