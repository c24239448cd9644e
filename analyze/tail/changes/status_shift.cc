#include "analyze/tail/changes/status_shift.h"

#include <algorithm>
#include <cmath>

namespace tailcap::tail::changes {
namespace {

using model::Duration;
using model::StatusShift;

constexpr std::size_t kWindows = 60;  // of a recording, unless they are too short or too long then
constexpr Duration kShortest{250'000'000}, kLongest{10'000'000'000};
// Fewer windows, or answers of a class in them, say nothing of how much they vary: the window in which a change begins
// must not hide it.
constexpr std::uint64_t kFewWindows = 8, kFewAnswers = 10;

double term(double observed, double expected) { return observed > 0 ? observed * std::log(observed / expected) : 0; }

// k of n against k0 of n0: twice the log of how much likelier two shares are than one.
double likelihood_ratio(double k, double n, double k0, double n0) {
  const double share = (k + k0) / (n + n0);
  if (share <= 0 || share >= 1) return 0;
  return 2 *
         (term(k, n * share) + term(n - k, n * (1 - share)) + term(k0, n0 * share) + term(n0 - k0, n0 * (1 - share)));
}

}  // namespace

double StatusWatch::spread(std::size_t c) const {
  if (windows_ < kFewWindows || before_[c] < kFewAnswers) return 1;
  const double n = static_cast<double>(before_n_), share = static_cast<double>(before_[c]) / n;
  if (share <= 0 || share >= 1) return 1;
  // Pearson's statistic of the windows, by its degrees of freedom.
  const double chi = (squares_[c] - n * share * share) / (share * (1 - share));
  return std::max(1.0, chi / static_cast<double>(windows_ - 1));
}

void StatusWatch::close() {
  std::size_t most = kClasses;
  double how = kSure;
  if (before_n_ >= kLeastBefore) {
    for (std::size_t c = 0; c < kClasses; ++c) {
      const double share = static_cast<double>(now_[c]) / static_cast<double>(n_),
                   was = static_cast<double>(before_[c]) / static_cast<double>(before_n_);
      if (share < was + kMatters) continue;  // what became more tells of what became less
      const double g = likelihood_ratio(static_cast<double>(now_[c]), static_cast<double>(n_),
                                        static_cast<double>(before_[c]), static_cast<double>(before_n_)) /
                       spread(c);
      if (g > how) {
        how = g;
        most = c;
      }
    }
  }
  if (most < kClasses) {
    StatusShift shift;
    shift.from = from_;
    shift.to = last_;
    shift.status_class = static_cast<std::uint8_t>(most);
    shift.before = before_[most];
    shift.before_of = before_n_;
    shift.after = now_[most];
    shift.after_of = n_;
    shifts_.push_back(shift);
    before_ = {};
    squares_ = {};
    before_n_ = 0;
    windows_ = 0;
  }
  for (std::size_t c = 0; c < kClasses; ++c) {
    before_[c] += now_[c];
    squares_[c] += static_cast<double>(now_[c]) * static_cast<double>(now_[c]) / static_cast<double>(n_);
  }
  before_n_ += n_;
  ++windows_;
  now_ = {};
  n_ = 0;
}

void StatusWatch::push(model::Time at, int status) {
  if (n_ >= kLeast && at - from_ >= window_) close();
  if (n_ == 0) from_ = at;
  last_ = at;
  ++now_[status >= 100 && status < 600 ? static_cast<std::size_t>(status / 100) : 0];
  ++n_;
}

void StatusWatch::end() {
  if (n_ >= kLeast) close();
}

void study_statuses(const model::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                    model::Study& study) {
  if (!formats::known(study.begin)) return;
  const Duration window =
      std::clamp((study.end - study.begin) / static_cast<std::int64_t>(kWindows), kShortest, kLongest);
  auto& out = study.changes.status_shifts;
  for (std::uint32_t r = 0; r < rows.size(); ++r) {
    if (study.routes[r].role != model::Role::server) continue;
    StatusWatch watch(window);
    for (const std::uint32_t i : *rows[r]) {
      const model::Outcome outcome = table.rows.outcome(i);
      const std::uint16_t status = table.rows.status(i);
      const bool unseen = status == 0 && (outcome == model::Outcome::in_flight || outcome == model::Outcome::unknown);
      const formats::Time start = table.rows.start(i);
      if (!formats::known(start) || unseen) continue;
      watch.push(start, status);
    }
    watch.end();
    for (StatusShift shift : watch.shifts()) {
      shift.route = r;
      out.push_back(shift);
    }
  }
  std::stable_sort(out.begin(), out.end(), [](const StatusShift& a, const StatusShift& b) { return a.from < b.from; });
  if (out.size() <= model::ChangeStudy::kMaxStatusShifts) return;
  study.changes.status_shifts_left_out = out.size() - model::ChangeStudy::kMaxStatusShifts;
  out.resize(model::ChangeStudy::kMaxStatusShifts);
}

}  // namespace tailcap::tail::changes
