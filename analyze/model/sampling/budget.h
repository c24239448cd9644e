// What a recording with `--budget` says of itself: what it might cost, and how it kept to that.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "formats/time.h"

namespace tailcap::model {

inline constexpr std::string_view kBudgetNote = "tailcap.sampling.budget";  // "20000 ppm"
inline constexpr std::string_view kStepNote = "tailcap.sampling.step";      // "1/4 cost 19300 ppm stacks off"
// From its time on, "off": no off-CPU intervals; "on": they are recorded again.
inline constexpr std::string_view kWaitsNote = "tailcap.waits";
inline constexpr std::string_view kWaitsMachine = " machine ";  // and its number, from 2, in a merged capture

// From its time on.
struct BudgetStep {
  formats::Time time = formats::kNoTime;
  bool looks = true;           // false: no connection is recorded until the next look
  std::uint32_t of = 1;        // one of `of` connections is recorded; without looks, 1
  std::uint64_t cost_ppm = 0;  // measured just before, of the CPU time of all CPUs
  std::optional<bool> stacks;  // stacks and samples are taken; none: they were not asked for
  std::optional<bool> waits;   // off-CPU intervals are recorded; none: they were not asked for
  bool above = false;          // the cost is above the budget, and nothing is left to do without
  bool measured = true;        // false: the cost is not known from here on
  bool same_as(const BudgetStep& other) const {
    return looks == other.looks && of == other.of && stacks == other.stacks && waits == other.waits &&
           above == other.above && measured == other.measured;
  }
};

struct Budget {
  std::optional<std::uint64_t> ppm;  // none: recorded without a budget
  std::vector<BudgetStep> steps;     // the first is what was so at the beginning
};

std::optional<std::uint64_t> read_budget(std::string_view value);
// None: it is not what it should be.
std::optional<BudgetStep> read_step(std::string_view value, formats::Time time);

}  // namespace tailcap::model
