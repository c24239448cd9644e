#include "analyze/views/policy/breaker.h"

#include <algorithm>

namespace tailcap::policy {

using model::policy::BreakerState;

BreakerReplay::BreakerReplay(const model::policy::Breaker& breaker,
                             const std::vector<model::policy::PolicyCondition>& conditions)
    : breaker_(breaker), route_(breaker.route) {
  for (const std::size_t i : breaker.open) {
    windows_.emplace_back(conditions[i]);
    holds_.emplace_back(conditions[i].hold);
  }
}

BreakerReplay::Fate& BreakerReplay::fate(std::uint32_t number) {
  if (number >= fates_.size()) fates_.resize(number + 1, Fate::other);
  return fates_[number];
}

void BreakerReplay::begin(const model::Request& row, const model::TextPool& texts, std::uint32_t number) {
  if (!route_(row, texts)) return;
  ++out_.requests;
  if (state_ == BreakerState::closed) {
    fate(number) = Fate::passed;
  } else if (state_ == BreakerState::half_open && sent_ < breaker_.probes) {
    ++sent_;
    fate(number) = Fate::probe;
    if (number >= generation_.size()) generation_.resize(number + 1);
    generation_[number] = half_opens_;
  } else {
    fate(number) = Fate::rejected;
    ++out_.rejected;
    const ConditionObservation o = observe(row);
    out_.rejected_failed += o.failed;
    out_.rejected_unknown += !o.judged;
  }
}

void BreakerReplay::end(const model::columns::ColumnFacts& facts, std::uint32_t number) {
  const model::Request& row = facts.row;
  switch (fate(number)) {
    case Fate::passed:
      if (state_ == BreakerState::closed && row.start >= closed_since_)
        for (ConditionWindow& window : windows_) window.push(facts);
      break;
    case Fate::probe:
      if (state_ == BreakerState::half_open && generation_[number] == half_opens_) done_.push_back(observe(row));
      break;
    case Fate::other:
    case Fate::rejected:
      break;
  }
}

void BreakerReplay::become(BreakerState state, Time now, std::size_t condition) {
  if (state != BreakerState::closed && state_ == BreakerState::closed) since_ = now;
  if (state == BreakerState::closed) {
    closed_since_ = now;
    for (ConditionWindow& window : windows_) window.clear();
    for (Hold& hold : holds_) hold.clear();
  }
  state_ = state;
  sent_ = 0;
  done_.clear();
  half_opens_ += state == BreakerState::half_open;
  out_.changes.push_back({now, state, condition});
}

void BreakerReplay::look(Time now, Time first, double weight) {
  const Time changed = out_.changes.empty() ? first : out_.changes.back().at;
  if (state_ == BreakerState::closed) {
    std::optional<std::size_t> open;
    for (std::size_t i = 0; i < windows_.size(); ++i)
      if (holds_[i].held(windows_[i].judge(now, std::max(first, changed), weight).holds, now) && !open) open = i;
    if (open) become(BreakerState::open, now, breaker_.open[*open]);
  } else if (state_ == BreakerState::open) {
    if (now - changed >= breaker_.open_for) become(BreakerState::half_open, now);
  } else if (done_.size() >= breaker_.probes) {
    const bool resolved = std::all_of(breaker_.resolve.begin(), breaker_.resolve.end(),
                                      [&](const Limit& limit) { return keeps(limit, measure(limit, 0, done_, 1)); });
    if (resolved) out_.not_closed += now - since_;
    become(resolved ? BreakerState::closed : BreakerState::open, now);
  }
}

model::policy::BreakerOutcome BreakerReplay::finish(Time last) {
  if (state_ != BreakerState::closed && last > since_) out_.not_closed += last - since_;
  return std::move(out_);
}

}  // namespace tailcap::policy
