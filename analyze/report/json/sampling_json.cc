#include "analyze/report/json/sampling_json.h"

namespace tailcap::report {

void append_estimate(JsonWriter& json, const std::optional<model::Estimate>& estimate, double of) {
  if (!estimate || !(of > 0)) return json.null();
  json.begin_object();
  json.key("value");
  json.real(estimate->value / of);
  for (const auto& [name, value] : {std::pair{"low", estimate->low}, std::pair{"high", estimate->high}}) {
    json.key(name);
    estimate->interval ? json.real(value / of) : json.null();
  }
  json.key("reason");
  json.text_or_null(estimate->reason);
  json.end_object();
}

void append_budget(JsonWriter& json, const model::Budget& budget) {
  if (!budget.ppm) return json.null();
  json.begin_object();
  json.field("cpu_ppm", *budget.ppm);
  json.key("steps");
  json.begin_array();
  for (const model::BudgetStep& step : budget.steps) {
    json.begin_object();
    json.field("at_ns", std::int64_t{nanoseconds(step.time)});
    json.key("one_in");
    step.looks ? json.number(std::uint64_t{step.of}) : json.null();
    json.key("stacks");
    step.stacks ? json.boolean(*step.stacks) : json.null();
    json.key("waits");
    step.waits ? json.boolean(*step.waits) : json.null();
    json.key("cost_cpu_ppm");
    step.measured ? json.number(step.cost_ppm) : json.null();
    json.field("above", step.above);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void append_sampling(JsonWriter& json, const model::Quality& quality) {
  const model::Sampling& s = quality.sampling;
  if (!s.some()) return json.null();
  json.begin_object();
  json.key("one_in");
  s.mixed || s.none ? json.null() : json.number(std::uint64_t{s.of});
  json.key("seed");
  s.seed ? json.number(std::uint64_t{*s.seed}) : json.null();
  json.field("scales", s.scales());
  json.key("ends_recorded");
  s.ends_known ? json.number(s.ends_recorded) : json.null();
  json.key("ends_left_out");
  s.ends_known ? json.number(s.ends_left_out) : json.null();
  json.key("requests");
  append_estimate(json, quality.all_requests, 1);
  json.end_object();
}

}  // namespace tailcap::report
