#include <algorithm>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/or_null.h"
#include "analyze/report/policy/policy_report.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using model::policy::Estimate;
using model::policy::Figures;
using model::policy::Outcome;

class PolicyJson {
 public:
  PolicyJson(std::string& out, const Outcome& outcome, const model::WallClock& clock, const Provenance& policy)
      : json_(out), o_(outcome), clock_(clock), policy_(policy) {}

  void write() {
    json_.begin_object();
    json_.field("schema", kJsonSchema);
    provenance_fields(json_, "policy", policy_);
    json_.field("capture", o_.file);
    json_.field("every_ns", std::int64_t{o_.policy.every.count()});
    json_.field("looks", o_.looks);
    json_.field("requests", o_.requests);
    json_.field("left_out", o_.left_out);
    list("conditions", o_.policy.conditions.size(), [&](std::size_t i) { condition(i); });
    json_.key("sampling");
    o_.sampling ? sampling() : json_.null();
    list("breakers", o_.breakers.size(), [&](std::size_t i) { breaker(i); });
    json_.end_object();
  }

 private:
  template <class Each>
  void list(std::string_view name, std::size_t n, Each each) {
    json_.key(name);
    json_.begin_array();
    for (std::size_t i = 0; i < n; ++i) each(i);
    json_.end_array();
  }

  void real(std::string_view name, std::optional<double> value) {
    json_.key(name);
    value ? json_.real(*value) : json_.null();
  }

  // From the first event of the capture.
  void offset(std::string_view name, formats::Time t) {
    field_or_null(json_, name, formats::known(t), (t - o_.first).count());
  }

  void condition(std::size_t c) {
    const auto& condition = o_.policy.conditions[c];
    json_.begin_object();
    json_.field("name", condition.name);
    json_.key("firings");
    json_.begin_array();
    for (const auto& firing : o_.firings) {
      if (firing.condition != c) continue;
      json_.begin_object();
      offset("fired_ns", firing.from);
      offset("resolved_ns", firing.to);
      json_.field("requests", firing.requests);
      list("limits", condition.limits.size(), [&](std::size_t i) {
        json_.begin_object();
        json_.field("name", name_of(condition.limits[i]));
        real("limit", condition.limits[i].value);
        json_.field("least", condition.limits[i].least);
        json_.field("of_time", condition.limits[i].of_time);
        real("value", firing.values[i]);
        json_.end_object();
      });
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }

  void figures(std::string_view name, const Figures& f) {
    const double seconds = static_cast<double>((o_.last - o_.first).count()) / 1e9;
    json_.key(name);
    json_.begin_object();
    real("count", f.count);
    real("rate", seconds > 0 ? std::optional(f.count / seconds) : std::nullopt);
    real("errors", f.errors);
    real("p50_ns", f.quantiles[0]);
    real("p95_ns", f.quantiles[1]);
    real("p99_ns", f.quantiles[2]);
    json_.end_object();
  }

  void estimate(const Estimate& e) {
    json_.begin_object();
    if (e.route) {
      json_.field("role", model::name_of(e.route->role));
      json_.key("method");
      json_.text_or_null(e.route->method);
      json_.key("route");
      json_.text_or_null(e.route->route);
    }
    json_.field("requests", e.requests);
    json_.field("kept", e.kept);
    json_.field("kept_by_rule", e.by_rule);
    json_.field("never", e.never);
    json_.field("slow", e.slow);
    json_.field("slow_missed", e.slow - e.slow_kept);
    json_.field("failed", e.failed);
    json_.field("failed_missed", e.failed - e.failed_kept);
    figures("truth", e.truth);
    figures("estimate", e.estimate);
    json_.end_object();
  }

  void sampling() {
    const auto& s = *o_.sampling;
    const auto& policy = *o_.policy.sampling;
    json_.begin_object();
    list("changes", s.changes.size(), [&](std::size_t i) {
      json_.begin_object();
      offset("from_ns", s.changes[i].from);
      json_.key("applies");
      json_.begin_array();
      for (std::size_t a = 0; a < policy.adapt.size(); ++a)
        if (s.changes[i].applies[a]) json_.number(std::uint64_t{a});
      json_.end_array();
      json_.end_object();
    });
    json_.key("all");
    estimate(s.all);
    list("routes", s.routes.size(), [&](std::size_t i) { estimate(s.routes[i]); });
    json_.field("missed_total", s.missed_total);
    list("missed", s.missed.size(), [&](std::size_t i) {
      const auto& m = s.missed[i];
      json_.begin_object();
      json_.field("id", id_text(m.id));
      field_or_null(json_, "start_ns", clock_.known(), clock_.known() ? clock_.realtime(m.start) : 0);
      field_or_null(json_, "duration_ns", m.duration >= 0, m.duration);
      field_or_null(json_, "status", m.status != 0, m.status);
      json_.field("slow", m.slow);
      json_.field("failed", m.failed);
      real("rate", m.rate);
      json_.end_object();
    });
    json_.end_object();
  }

  void breaker(std::size_t b) {
    const auto& one = o_.breakers[b];
    json_.begin_object();
    json_.field("name", o_.policy.breakers[b].name);
    list("changes", one.changes.size(), [&](std::size_t i) {
      json_.begin_object();
      offset("at_ns", one.changes[i].at);
      json_.field("state", name_of(one.changes[i].to));
      json_.end_object();
    });
    json_.field("requests", one.requests);
    json_.field("rejected", one.rejected);
    json_.field("rejected_failed", one.rejected_failed);
    json_.field("rejected_unknown", one.rejected_unknown);
    json_.field("not_closed_ns", std::int64_t{one.not_closed.count()});
    json_.end_object();
  }

  JsonWriter json_;
  const Outcome& o_;
  const model::WallClock& clock_;
  const Provenance& policy_;
};

}  // namespace

std::string policy_json(const Outcome& outcome, const model::WallClock& clock, const Provenance& policy) {
  std::string out;
  PolicyJson(out, outcome, clock, policy).write();
  return out + "\n";
}

}  // namespace tailcap::report
