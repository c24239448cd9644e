#include "capture/budget/controller.h"

#include <algorithm>
#include <cmath>

namespace tailcap::capture::budget {
namespace {

constexpr double kTooMuch = 1.05, kGoal = 0.95;  // of the budget
constexpr double kFarTooMuch = 4;                // more than one step is needed
constexpr double kAtOnce = 2;                    // a cost of this many times the budget needs no second look
constexpr double kRoom = 0.9;                    // what a step up may cost, of the budget
constexpr double kLooksBack = 3;                 // seconds
constexpr double kHold = 3, kLongestHold = 60;   // seconds
constexpr double kUndone = 8;                    // a step up that is undone within this number of seconds was wrong
constexpr double kMostFixed = 0.9, kTrust = 0.8;
constexpr double kDebtKept = 2;  // seconds of the whole budget
constexpr double kLook = 5;      // seconds of a look, which ends earlier where it needs a long pause
constexpr double kShortLook = 1;
constexpr double kLongPause = 12, kLongestPause = 60;  // seconds between two looks: one is ended, or begun

}  // namespace

Controller::Controller(double budget, std::uint32_t of, bool extras, bool waits)
    : budget_(budget),
      first_of_(of),
      top_of_(of),
      has_extras_(extras),
      has_waits_(waits),
      step_{true, of, true, true},
      hold_(kHold) {}

Controller::Cost Controller::mean_since(std::size_t from) const {
  Cost sum;
  double seconds = 0;
  for (std::size_t i = from; i < samples_.size(); i++) {
    const Sample& sample = samples_[i];
    sum.all += sample.cost.all * sample.seconds;
    sum.waits += sample.cost.waits * sample.seconds;
    sum.load += sample.cost.load * sample.seconds;
    seconds += sample.seconds;
  }
  return seconds > 0 ? Cost{sum.all / seconds, sum.waits / seconds, sum.load / seconds} : Cost{};
}

Controller::Cost Controller::recent() const { return mean_since(samples_.size() < 2 ? 0 : samples_.size() - 2); }

double Controller::peak() const {
  double most = 0;
  for (const Sample& sample : samples_) most = std::max(most, sample.cost.all);
  return most;
}

// How much of the cost follows the share, from what the last step changed.
void Controller::learn(const Cost& now) {
  const double cost = now.all, before = before_.all;
  if (learned_ || cost <= 0 || before <= 0) return;
  learned_ = true;
  if (waits_changed_) {
    if (step_.waits) return;
    waits_cost_ = std::max(before_.waits, divided_by_ == 1 && !extras_changed_ ? before - cost : 0.0);
    waits_load_ = before_.load;
    return;
  }
  if (extras_changed_) {
    if (!went_up_ && divided_by_ == 1) extras_cost_ = std::max(0.0, before - cost);
    return;
  }
  // before = fixed + part, now = fixed + part / divided_by
  const double part = (before - cost) / (1 - 1 / divided_by_);
  const double fixed = divided_by_ > 1 ? (before - part) / cost : 1 - part / divided_by_ / cost;
  fixed_ = std::clamp(kTrust * fixed, 0.0, kMostFixed);
}

bool Controller::measured(double seconds, const Cost& now) {
  const double cost = now.all;
  if (!(seconds > 0) || !(cost >= 0) || !(now.waits >= 0) || !(now.load >= 0)) return false;
  since_step_ += seconds;
  debt_ = std::clamp(debt_ + (cost - budget_) * seconds, 0.0, kDebtKept * budget_);
  samples_.push_back({seconds, now});
  double kept = 0;
  for (const Sample& sample : samples_) kept += sample.seconds;
  while (samples_.size() > 2 && kept - samples_.front().seconds >= kLooksBack) {
    kept -= samples_.front().seconds;
    samples_.pop_front();
  }
  const bool twice = samples_.size() >= 2;
  if (twice) learn(recent());
  const Step before = step_;
  if (!at_its_end_ || !decide_look(seconds, cost)) {
    if (cost > kAtOnce * budget_)
      down({std::max(twice ? recent().all : 0, cost), recent().waits, recent().load});
    else if (twice && recent().all > kTooMuch * budget_)
      down(recent());
    else if (since_step_ >= hold_ && debt_ <= 0)
      up();
  }
  if (step_ == before) return false;
  before_ = recent();
  divided_by_ = static_cast<double>(step_.of) / before.of;
  extras_changed_ = step_.extras != before.extras;
  waits_changed_ = step_.waits != before.waits;
  learned_ = step_.looks != before.looks;
  samples_.clear();
  since_step_ = 0;
  return true;
}

// Where nothing else is left to do without. False: the share, waits and extras are to be decided.
bool Controller::decide_look(double seconds, double cost) {
  const Cost now = recent();
  if (!step_.looks) {
    looks_debt_ = std::max(0.0, looks_debt_ + std::min(0.0, cost - kGoal * budget_) * seconds);
    above_ = since_step_ >= kLooksBack && now.all > kTooMuch * budget_;
    step_.looks = looks_debt_ <= 0 || since_step_ >= kLongestPause;
    if (step_.looks) looks_debt_ = 0;
    return true;
  }
  if (now.all <= kRoom * budget_ || (end_.load > 0 && now.load * end_.all <= kRoom * kRoom * budget_ * end_.load)) {
    at_its_end_ = above_ = false;
    return false;
  }
  // What a look costs before it is measured for the first time counts, too.
  looks_debt_ += (cost - kGoal * budget_) * (since_step_ > seconds ? seconds : 2 * seconds);
  const double pause = looks_debt_ / (kGoal * budget_);
  if (now.all <= kTooMuch * budget_ || (since_step_ < kLook && pause < kLongPause)) return true;
  step_.looks = false;
  // Many connections for a part of the time say more than a few all the time: most for this cost where those that are
  // recorded cost as much as the look-ups for those that are not.
  const double without = end_.load > 0 ? end_.all * now.load / end_.load : end_.all;
  if (now.all > (since_step_ < kShortLook ? 2 : 3) * without)
    step_.of = 2 * step_.of <= std::max(kMostOf, top_of_) ? 2 * step_.of : step_.of;
  else if (now.all < 1.7 * without)
    step_.of = std::max(step_.of / (now.all < 1.2 * without ? 4 : 2), top_of_);
  return true;
}

void Controller::look(bool on) {
  step_.looks = on;
  samples_.clear();
  since_step_ = 0;
}

bool Controller::down(const Cost& measured) {
  const Step before = step_;
  double cost = measured.all;
  if (went_up_ && since_step_ < kUndone)
    hold_ = std::min(2 * hold_, kLongestHold);
  else if (since_step_ > 2 * kLongestHold)
    hold_ = kHold;
  if (step_.extras && has_extras_) {
    step_.extras = false;
    if (cost < kFarTooMuch * budget_) {
      went_up_ = false;
      return true;
    }
  }
  const std::uint32_t most_of = std::max(kMostOf, top_of_);
  const bool were_wrong = waits_went_up_ && since_step_ < kUndone;
  if (has_waits_ && step_.waits &&
      (measured.waits > budget_ || fixed_ * cost >= kGoal * budget_ || 2 * step_.of > most_of || were_wrong)) {
    step_.waits = false;
    waits_of_ = step_.of;
    fixed_ = 0;
    waits_went_up_ = went_up_ = at_its_end_ = false;
    cost -= measured.waits;
    // What their records cost beside is not known yet.
    if (cost < kAtOnce * budget_) return true;
  }
  // What follows the share has to shrink by this factor; where the rest alone is too much, as far as a guess may go
  // wrong.
  const double part = (1 - fixed_) * cost, left = kGoal * budget_ - fixed_ * cost;
  const auto halvings = std::max(1, static_cast<int>(std::ceil(std::log2(part / std::max(left, part / 8)))));
  for (int i = 0; i < halvings && 2 * step_.of <= most_of; i++) step_.of *= 2;
  at_its_end_ = step_ == before;
  if (at_its_end_) {
    end_ = measured;
    looks_debt_ = debt_;
  } else {
    went_up_ = waits_went_up_ = false;
  }
  return !at_its_end_;
}

bool Controller::limit(std::uint32_t of) {
  top_of_ = std::max(of, first_of_);
  if (step_.of >= top_of_) return false;
  step_.of = top_of_;
  samples_.clear();
  since_step_ = 0;
  learned_ = true;
  return true;
}

void Controller::waits_are_gone() { has_waits_ = step_.waits = waits_went_up_ = waits_changed_ = false; }

// The share becomes smaller for them, but not smaller than it was when they were left out.
bool Controller::waits_return(double cost) {
  if (!has_waits_) return false;
  const double load = waits_load_ > 0 ? mean_since(0).load / waits_load_ : 1;
  const std::uint32_t most_of = std::max(waits_of_, step_.of);
  for (std::uint32_t of = step_.of; of <= most_of; of *= 2) {
    const double part = (1 - fixed_) * static_cast<double>(step_.of) / of;
    if (cost * (fixed_ + part) + load * waits_cost_ > kRoom * budget_) continue;
    step_.waits = true;
    step_.of = of;
    return true;
  }
  return false;
}

bool Controller::up() {
  const Step before = step_;
  double cost = peak();
  if (!step_.waits && waits_return(cost)) return went_up_ = waits_went_up_ = true;
  while (step_.of > top_of_) {
    const double next = cost * (fixed_ + 2 * (1 - fixed_));
    if (next > kRoom * budget_) break;
    cost = next;
    step_.of = std::max(step_.of / 2, top_of_);
  }
  if (step_ == before && step_.of == top_of_ && (step_.waits || !has_waits_) && !step_.extras &&
      cost + std::max(extras_cost_, 0.25 * budget_) <= kRoom * budget_)
    step_.extras = true;
  went_up_ = went_up_ || step_ != before;
  return step_ != before;
}

}  // namespace tailcap::capture::budget
