#include "analyze/partition/conditions/sweep.h"

#include <algorithm>
#include <boost/sort/spinsort/spinsort.hpp>
#include <tuple>

namespace tailcap::partition {
namespace {

constexpr std::size_t kFew = 32;  // conditions

// Ranks 1 to 7 are the chain. Lost evidence precedes it, and an unknown carrier follows it. Contradictory evidence
// keeps the carrier from running in an unknown way, so it is last among the labels that do.
int place_of(model::Label label) {
  switch (label) {
    case model::Label::unexplained_lost:
      return 0;
    case model::Label::unexplained_opaque:
      return 6;
    case model::Label::unexplained_nocarrier:
      return 8;
    default:
      return model::rank_of(label);
  }
}

// Being on the CPU says less than what it did there.
auto key(const Condition& c) {
  return std::tuple(place_of(c.label), c.label == model::Label::cpu, c.label, c.evidence, c.behind);
}

struct Later {
  bool operator()(const Condition* a, const Condition* b) const { return key(*b) < key(*a); }
};

}  // namespace

std::vector<Condition> sweep(Nanos from, Nanos to, std::span<const Condition> conditions) {
  std::vector<Condition> out;
  Sweeper().sweep(from, to, conditions, out);
  return out;
}

void Sweeper::sweep(Nanos from, Nanos to, std::span<const Condition> conditions, std::vector<Condition>& out) {
  sorted_.clear();
  open_.clear();
  out.clear();
  for (const Condition& c : conditions)
    if (std::max(c.from, from) < std::min(c.to, to)) sorted_.push_back(&c);
  const auto earlier = [](const Condition* a, const Condition* b) { return a->from < b->from; };
  if (sorted_.size() <= kFew)
    std::sort(sorted_.begin(), sorted_.end(), earlier);
  else  // mostly runs that are in order
    boost::sort::spinsort(sorted_.begin(), sorted_.end(), earlier);
  const auto emit = [&](Nanos begin, Nanos end, model::Label label, model::Evidence evidence, std::uint32_t behind) {
    if (begin >= end) return;
    if (!out.empty() && out.back().label == label && out.back().evidence == evidence && out.back().behind == behind)
      out.back().to = end;
    else
      out.push_back({begin, end, label, evidence, behind});
  };
  // The heap holds what began and may have ended; the first that has not ended owns the time until it ends or until
  // another begins.
  std::size_t next = 0;
  for (Nanos now = from; now < to;) {
    while (next < sorted_.size() && sorted_[next]->from <= now) {
      open_.push_back(sorted_[next++]);
      std::push_heap(open_.begin(), open_.end(), Later());
    }
    while (!open_.empty() && open_.front()->to <= now) {
      std::pop_heap(open_.begin(), open_.end(), Later());
      open_.pop_back();
    }
    Nanos until = next < sorted_.size() ? std::min(sorted_[next]->from, to) : to;
    if (open_.empty()) {
      emit(now, until, model::Label::unexplained_nocarrier, model::Evidence::measured, 0);
    } else {
      const Condition& first = *open_.front();
      until = std::min(until, first.to);
      emit(now, until, first.label, first.evidence, first.behind);
    }
    now = until;
  }
}

}  // namespace tailcap::partition
