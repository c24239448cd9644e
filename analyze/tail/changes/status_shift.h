// When a route begins to answer otherwise: a change of the distribution of its status codes.
//
// Answers are counted in windows of time, by the first digit of their status. Each window is held against all that came
// before, since the last change: a likelihood ratio test of each class against the others (G, which is about
// chi-square), divided by how much more than chance the windows before vary. Nothing is learnt, and nothing kept but
// counts.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"

namespace tailcap::tail::changes {

class StatusWatch {
 public:
  static constexpr std::size_t kClasses = 6;   // 1xx to 5xx; 0: no answer
  static constexpr std::uint64_t kLeast = 30;  // answers in a window; it lasts until there are as many
  static constexpr std::uint64_t kLeastBefore = 60;
  static constexpr double kSure = 24;       // by chance once in a million windows
  static constexpr double kMatters = 0.02;  // of all answers

  explicit StatusWatch(model::Duration window) : window_(window) {}
  // In order of time. status 0: there was no answer.
  void push(model::Time at, int status);
  void end();  // what is left is a window, too, if it has enough
  const std::vector<model::StatusShift>& shifts() const { return shifts_; }

 private:
  using Counts = std::array<std::uint64_t, kClasses>;
  void close();
  double spread(std::size_t c) const;  // of class c in the windows before; 1: chance

  model::Duration window_;
  model::Time from_ = model::kNoTime, last_ = model::kNoTime;
  Counts now_{}, before_{};
  std::uint64_t n_ = 0, before_n_ = 0, windows_ = 0;
  std::array<double, kClasses> squares_{};  // sums of k²/n over the windows before
  std::vector<model::StatusShift> shifts_;
};

// Fills study.changes.status_shifts. rows: by route, as in study.routes; each in order of start.
void study_statuses(const model::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                    model::Study& study);

}  // namespace tailcap::tail::changes
