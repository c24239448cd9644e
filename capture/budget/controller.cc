#include "capture/budget/controller.h"

#include <algorithm>
#include <cmath>

namespace tailcap::capture::budget {
namespace {

constexpr double kTooMuch = 1.05, kGoal = 0.95;  // of the budget
constexpr double kFarTooMuch = 4;                // more than one step is needed
constexpr double kAtOnce = 2;                    // a cost so many times the budget needs no second look
constexpr double kRoom = 0.9;                    // what a step up may cost, of the budget
constexpr double kLooksBack = 3;                 // seconds
constexpr double kHold = 3, kLongestHold = 60;   // seconds
constexpr double kUndone = 8;                    // a step up that is undone within so many seconds was wrong
constexpr double kMostFixed = 0.9, kTrust = 0.8;
constexpr double kDebtKept = 2;  // seconds of the whole budget

}  // namespace

Controller::Controller(double budget, std::uint32_t of, bool extras)
    : budget_(budget), top_of_(of), has_extras_(extras), step_{true, of}, hold_(kHold) {}

double Controller::recent() const {
  double cost = 0, seconds = 0;
  const std::size_t from = samples_.size() < 2 ? 0 : samples_.size() - 2;
  for (std::size_t i = from; i < samples_.size(); i++) {
    cost += samples_[i].cost * samples_[i].seconds;
    seconds += samples_[i].seconds;
  }
  return seconds > 0 ? cost / seconds : 0;
}

double Controller::peak() const {
  double most = 0;
  for (const Sample& sample : samples_) most = std::max(most, sample.cost);
  return most;
}

// How much of the cost follows the share, from what the last step changed.
void Controller::learn(double cost) {
  if (learned_ || cost <= 0 || cost_before_ <= 0) return;
  learned_ = true;
  if (extras_changed_) {
    if (!went_up_ && divided_by_ == 1) extras_cost_ = std::max(0.0, cost_before_ - cost);
    return;
  }
  // before = fixed + part, now = fixed + part / divided_by
  const double part = (cost_before_ - cost) / (1 - 1 / divided_by_);
  const double fixed = divided_by_ > 1 ? (cost_before_ - part) / cost : 1 - part / divided_by_ / cost;
  fixed_ = std::clamp(kTrust * fixed, 0.0, kMostFixed);
}

bool Controller::measured(double seconds, double cost) {
  if (!(seconds > 0) || !(cost >= 0)) return false;
  since_step_ += seconds;
  debt_ = std::clamp(debt_ + (cost - budget_) * seconds, 0.0, kDebtKept * budget_);
  samples_.push_back({seconds, cost});
  double kept = 0;
  for (const Sample& sample : samples_) kept += sample.seconds;
  while (samples_.size() > 2 && kept - samples_.front().seconds >= kLooksBack) {
    kept -= samples_.front().seconds;
    samples_.pop_front();
  }
  const bool twice = samples_.size() >= 2;
  if (twice) learn(recent());
  const Step before = step_;
  if (cost > kAtOnce * budget_)
    down(twice ? std::max(recent(), cost) : cost);
  else if (twice && recent() > kTooMuch * budget_)
    down(recent());
  else if (since_step_ >= hold_ && debt_ <= 0)
    up();
  if (recent() <= kRoom * budget_) at_its_end_ = false;
  if (step_ == before) return false;
  cost_before_ = twice ? recent() : cost;
  divided_by_ = static_cast<double>(step_.of) / before.of;
  extras_changed_ = step_.extras != before.extras;
  learned_ = false;
  samples_.clear();
  since_step_ = 0;
  return true;
}

bool Controller::down(double cost) {
  const Step before = step_;
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
  // What follows the share has to become so much less; where the rest alone is too much, as far as a guess may go
  // wrong.
  const double part = (1 - fixed_) * cost, left = kGoal * budget_ - fixed_ * cost;
  const auto halvings = std::max(1, static_cast<int>(std::ceil(std::log2(part / std::max(left, part / 8)))));
  for (int i = 0; i < halvings && 2 * step_.of <= std::max(kMostOf, top_of_); i++) step_.of *= 2;
  at_its_end_ = step_ == before;
  if (!at_its_end_) went_up_ = false;
  return !at_its_end_;
}

bool Controller::up() {
  const Step before = step_;
  double cost = peak();
  while (step_.of > top_of_) {
    const double next = cost * (fixed_ + 2 * (1 - fixed_));
    if (next > kRoom * budget_) break;
    cost = next;
    step_.of = std::max(step_.of / 2, top_of_);
  }
  if (step_ == before && step_.of == top_of_ && !step_.extras &&
      cost + std::max(extras_cost_, 0.25 * budget_) <= kRoom * budget_)
    step_.extras = true;
  went_up_ = went_up_ || step_ != before;
  return step_ != before;
}

}  // namespace tailcap::capture::budget
