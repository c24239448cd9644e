// A sampling, replayed: the rates of its routes, what they keep, and what other rates would have kept.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "analyze/views/policy/estimates.h"
#include "analyze/views/policy/route_rates.h"
#include "analyze/views/policy/sampler.h"

namespace tailcap::policy {

class SamplingReplay {
 public:
  // rows: of the requests that count. weight: how many requests each of them stands for; 0: that is not known.
  SamplingReplay(const model::policy::PolicySampling& sampling, const model::RequestTable& table,
                 const std::vector<std::uint32_t>& rows, Time first, double weight);
  SamplingReplay(const SamplingReplay&) = delete;

  // A request begins, by its number in the table.
  void begin(std::uint32_t number);
  // It has ended. In the order of the ends, each after its beginning.
  void end(const model::Request& row);
  // After the requests that have ended by then. closes: a window of the formula ends now.
  void look(Time now, const std::vector<bool>& firing, bool closes);
  // Changes of rates, by time, as many as are kept.
  const std::vector<model::policy::PolicyAction>& actions() const { return actions_; }
  std::uint64_t actions_total() const { return actions_total_; }
  model::policy::SamplingOutcome finish(const std::vector<bool>& firing, std::size_t missed);

 private:
  struct Variant {
    model::policy::SamplingVariant::Kind kind;
    RouteRates rates;
    std::vector<double> of = {};  // requests, as they began
  };
  std::vector<model::policy::WindowFigures> close_window(bool over);
  void add_variant(model::policy::SamplingVariant::Kind kind, const model::policy::PolicySampling& sampling);
  void note_changes(Time now, const std::vector<bool>& firing);
  void add_windows(const std::vector<JudgedRequest>& requests, model::policy::SamplingOutcome& out) const;
  std::vector<JudgedRequest> judged_by(const Variant& variant, std::vector<JudgedRequest> requests) const;

  const model::policy::PolicySampling sampling_;
  const model::RequestTable& table_;
  const Time first_;
  const double weight_;
  const RouteNumbers numbers_;
  Sampler sampler_;
  RouteRates rates_;
  std::vector<SamplePlace> places_;
  std::vector<Decision> decisions_;
  std::vector<model::policy::RateChange> changes_;
  std::vector<model::policy::PolicyAction> actions_;
  std::uint64_t actions_total_ = 0;
  // Where there is a formula:
  std::deque<Variant> variants_;
  std::uint32_t window_ = 0;                                    // the one under way
  std::vector<std::pair<std::uint32_t, std::uint32_t>> began_;  // of decisions: window, route
  std::vector<std::deque<ConditionObservation>> ended_;         // in it, by route
  std::map<std::pair<std::uint32_t, std::uint32_t>, model::policy::WindowFigures> figures_;  // by window, route
};

}  // namespace tailcap::policy
