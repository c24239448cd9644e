// Decides how much is recorded, so that recording keeps to its budget. Pure: costs in, steps out.
//
// Where it costs more than the budget it steps down within half a second, by as many halvings of the share of
// connections as the cost asks for. It steps up after some seconds in which the next step would have kept the budget,
// and waits longer where that was wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace tailcap::capture::budget {

// What is recorded.
struct Step {
  bool extras = true;    // stacks and samples
  std::uint32_t of = 1;  // of so many connections one
  bool operator==(const Step&) const = default;
};

class Controller {
 public:
  static constexpr std::uint32_t kMostOf = 1024;

  // budget: a share of the CPUs. of: the largest share of connections is one in so many. extras: there are some.
  Controller(double budget, std::uint32_t of, bool extras);

  // What it cost in the last so many seconds, all of them under the present step: a share of the CPUs. True: the step
  // has changed.
  bool measured(double seconds, double cost);
  const Step& step() const { return step_; }
  // The cost is above the budget, and there is nothing left to do without.
  bool at_its_end() const { return at_its_end_; }

 private:
  struct Sample {
    double seconds, cost;
  };
  bool down(double cost);
  bool up();
  void learn(double cost);
  double recent() const;
  double peak() const;

  const double budget_;
  const std::uint32_t top_of_;
  const bool has_extras_;
  Step step_;
  std::deque<Sample> samples_;  // since the step, of the last few seconds
  double since_step_ = 0;       // seconds
  double hold_;                 // seconds before the next step up
  double debt_ = 0;             // seconds of all CPUs beyond the budget
  double fixed_ = 0;            // how much of the cost does not depend on the share of connections, of 1
  double extras_cost_ = 0;      // when they were last switched off
  // Of the last step: the cost before it, and by how much it divided the share.
  double cost_before_ = 0, divided_by_ = 1;
  bool went_up_ = false, extras_changed_ = false, learned_ = true, at_its_end_ = false;
};

}  // namespace tailcap::capture::budget
