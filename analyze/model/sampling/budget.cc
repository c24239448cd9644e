#include "analyze/model/sampling/budget.h"

#include "analyze/model/sampling/take.h"

namespace tailcap::model {

std::optional<std::uint64_t> read_budget(std::string_view value) {
  std::uint64_t ppm = 0;
  if (!take_number(value, ppm) || value != " ppm" || ppm == 0 || ppm > 1'000'000) return std::nullopt;
  return ppm;
}

std::optional<BudgetStep> read_step(std::string_view value, formats::Time time) {
  BudgetStep step;
  step.time = time;
  step.looks = !take(value, "none");
  if (step.looks && (!take(value, "1/") || !take_number(value, step.of) || step.of == 0)) return std::nullopt;
  if (take(value, " cost unknown"))
    step.measured = false;
  else if (!take(value, " cost ") || !take_number(value, step.cost_ppm) || !take(value, " ppm"))
    return std::nullopt;
  if (take(value, " stacks on"))
    step.stacks = true;
  else if (take(value, " stacks off"))
    step.stacks = false;
  if (take(value, " waits on"))
    step.waits = true;
  else if (take(value, " waits off"))
    step.waits = false;
  step.above = take(value, " above");
  return value.empty() ? std::optional(step) : std::nullopt;
}

}  // namespace tailcap::model
