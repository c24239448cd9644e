// Decides how much is recorded, so that recording keeps to its budget. Pure: costs in, steps out.
//
// Where it costs more than the budget it steps down within half a second, by as many halvings of the share of
// connections as the cost asks for. Off-CPU intervals are left out where a smaller share does not help. Where all of
// that is not enough, connections are recorded in looks: between them, none is, until the mean cost is within the
// budget again. It steps up after some seconds in which the next step would have kept the budget, and waits longer
// where that was wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace tailcap::capture::budget {

// What is recorded.
struct Step {
  bool extras = true;    // stacks and samples
  std::uint32_t of = 1;  // one of `of` connections is recorded
  bool waits = true;     // off-CPU intervals and wake-ups
  bool looks = true;     // false: no connection is recorded, until the next look
  bool operator==(const Step&) const = default;
};

class Controller {
 public:
  static constexpr std::uint32_t kMostOf = 1024;

  // budget: a share of the CPUs. of: the largest share of connections is one in `of`. extras, waits: there are some.
  Controller(double budget, std::uint32_t of, bool extras, bool waits);

  struct Cost {
    double all = 0;    // a share of the CPUs
    double waits = 0;  // of it, the programs that record off-CPU intervals
    double load = 0;   // what these cost follows it, in any unit
  };
  // What it cost in the last `seconds` seconds, all of them under the present step. True: the step has changed.
  bool measured(double seconds, const Cost& cost);
  // From now on the largest share is one in `of`, or that of the beginning where that is smaller. True: the step has
  // changed.
  bool limit(std::uint32_t of);
  // Off-CPU intervals cannot be recorded again.
  void waits_are_gone();
  // Connections are recorded from now on, or cannot be: the next look is tried later.
  void look(bool on);
  const Step& step() const { return step_; }
  // The cost is above the budget even while no connection is recorded.
  bool above() const { return above_; }

 private:
  struct Sample {
    double seconds;
    Cost cost;
  };
  bool down(const Cost& measured);
  bool waits_return(double cost);
  bool up();
  bool decide_look(double seconds, double cost);
  void learn(const Cost& now);
  Cost mean_since(std::size_t from) const;
  Cost recent() const;
  double peak() const;

  const double budget_;
  const std::uint32_t first_of_;
  std::uint32_t top_of_;
  const bool has_extras_;
  bool has_waits_;
  Step step_;
  std::deque<Sample> samples_;              // since the step, of the last few seconds
  double since_step_ = 0;                   // seconds
  double hold_;                             // seconds before the next step up
  double debt_ = 0;                         // seconds of all CPUs beyond the budget
  double looks_debt_ = 0;                   // the same, of looks and the pauses between them
  Cost end_;                                // when nothing else was left to do without
  double fixed_ = 0;                        // how much of the cost does not depend on the share of connections, of 1
  double extras_cost_ = 0;                  // when they were last switched off
  double waits_cost_ = 0, waits_load_ = 0;  // of off-CPU intervals, when they were last left out
  std::uint32_t waits_of_ = 1;              // the share at that time
  // The cost before the last step, and by how much that divided the share.
  Cost before_;
  double divided_by_ = 1;
  bool went_up_ = false, waits_went_up_ = false, extras_changed_ = false, waits_changed_ = false, learned_ = true,
       at_its_end_ = false, above_ = false;
};

}  // namespace tailcap::capture::budget
