#include "analyze/model/request.h"
#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/compare_words.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

using model::gate::AccountTable;
using model::gate::Comparison;
using model::gate::Estimate;
using model::gate::Gate;
using model::gate::GateResult;
using model::gate::RouteComparison;

class CompareWriter {
 public:
  CompareWriter(JsonWriter& json, const Comparison& c, const std::string& tailcap)
      : json_(json), c_(c), tailcap_(tailcap) {}

  void write() {
    json_.begin_object();
    json_.field("schema", kJsonSchema);
    json_.field("method", name_of(c_.method));
    json_.field("verdict", name_of(c_.verdict));
    json_.field("sentence", verdict_text(c_));
    json_.field("tailcap", tailcap_);
    texts("obstacles", c_.obstacles);
    texts("uneven", c_.uneven);
    json_.key("apart");
    json_.text_or_null(c_.apart);
    texts("remarks", c_.remarks);
    json_.key("software");
    json_.begin_array();
    for (const auto& change : c_.software) software(change);
    json_.end_array();
    json_.key("same_version");
    json_.text_or_null(c_.same_version);
    json_.key("parameters");
    json_.begin_object();
    real("alpha", c_.options.level);
    json_.field("min_runs", std::uint64_t{c_.options.min_runs});
    json_.field("strict", c_.options.strict);
    json_.field("allow_sequential", c_.options.allow_sequential);
    json_.field("self", c_.options.self);
    json_.field("noise_runs", std::uint64_t{c_.noise_runs});
    json_.key("screened");
    if (c_.options.screened > 0)
      json_.number(std::uint64_t{c_.options.screened});
    else
      json_.null();
    json_.end_object();
    side("base", c_.base_runs, c_.base_seconds, c_.base_rate);
    side("new", c_.fresh_runs, c_.fresh_seconds, c_.fresh_rate);
    json_.field("interleaved", c_.interleaved);
    json_.field("closed_loop", c_.closed_loop);
    json_.key("gates");
    json_.begin_array();
    for (const GateResult& g : c_.gates) gate(g);
    json_.end_array();
    json_.key("routes");
    json_.begin_array();
    for (const RouteComparison& r : c_.routes) route(r);
    json_.end_array();
    json_.key("called");
    json_.begin_array();
    for (const auto& row : c_.called) {
      json_.begin_object();
      name_of_route(row.name);
      estimate(row.estimate, false);
      json_.end_object();
    }
    json_.end_array();
    texts("not_gated", c_.not_gated);
    json_.end_object();
  }

 private:
  void real(std::string_view name, double value) {
    json_.key(name);
    json_.real(value);
  }
  void texts(std::string_view name, const std::vector<std::string>& all) {
    json_.key(name);
    json_.begin_array();
    for (const auto& text : all) json_.text(text);
    json_.end_array();
  }
  void numbers(std::string_view name, const std::vector<std::uint64_t>& all) {
    json_.key(name);
    json_.begin_array();
    for (const std::uint64_t n : all) json_.number(n);
    json_.end_array();
  }
  void software(const model::gate::SoftwareChange& change) {
    json_.begin_object();
    json_.field("what", name_of(change.kind));
    json_.field("program", change.program);
    json_.key("module");
    json_.text_or_null(change.module);
    texts("base", change.base);
    texts("new", change.fresh);
    json_.end_object();
  }
  void side(std::string_view name, std::size_t runs, double seconds, double rate) {
    json_.key(name);
    json_.begin_object();
    json_.field("runs", std::uint64_t{runs});
    real("seconds", seconds);
    real("requests_per_second", rate);
    json_.end_object();
  }
  void name_of_route(const model::gate::RouteName& name) {
    json_.field("role", model::name_of(name.role));
    json_.key("method");
    json_.text_or_null(name.method);
    json_.field("route", name.route);
    json_.key("comm");
    json_.text_or_null(name.comm);
  }
  // null: not known.
  void estimate(const Estimate& e, bool relative) {
    json_.key("estimate");
    if (!e.known) {
      json_.null();
      return;
    }
    json_.begin_object();
    json_.field("relative", relative);
    json_.field("exact", e.exact);
    real("base", e.base);
    real("new", e.fresh);
    real("difference", e.difference);
    real("low", e.low);
    real("high", e.high);
    real("mde80", e.mde);
    real("se", e.se);
    real("df", e.df);
    real("p_increase", e.p_above);
    real("p", e.p_two);
    real("undecided_calls", relative ? 0 : e.slack);
    json_.field("base_at_least", e.base_at_least);
    json_.field("new_at_least", e.fresh_at_least);
    json_.field("noticed", e.noticed);
    json_.end_object();
  }
  void gate(const GateResult& g) {
    json_.begin_object();
    json_.field("gate", gate_text(g));
    json_.field("metric", name_of(g.gate.metric));
    json_.key("route");
    if (g.found) {
      json_.begin_object();
      name_of_route(c_.routes[g.route].name);
      json_.end_object();
    } else {
      json_.null();
    }
    real("threshold", g.threshold);
    json_.field("verdict", name_of(g.verdict));
    texts("missing", g.missing);
    json_.field("needs_longer_runs", g.longer_runs);
    real("p_holm", g.p_holm);
    json_.field("sentence", gate_sentence(c_, g));
    estimate(g.estimate, g.gate.metric.relative());
    json_.end_object();
  }
  void accounts(std::string_view name, const AccountTable& t) {
    json_.key(name);
    if (!t.known) {
      json_.null();
      return;
    }
    json_.begin_object();
    json_.field("base_ns", t.base);
    json_.field("new_ns", t.fresh);
    json_.field("difference_ns", t.difference());
    json_.key("labels");
    json_.begin_array();
    for (const auto& row : t.rows) {
      json_.begin_object();
      json_.field("label", model::gate::account_name(row.account));
      json_.field("base_ns", row.base);
      json_.field("new_ns", row.fresh);
      json_.field("difference_ns", row.difference());
      estimate(row.estimate, false);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }
  void route(const RouteComparison& r) {
    json_.begin_object();
    name_of_route(r.name);
    json_.key("not_compared");
    json_.text_or_null(r.absent);
    numbers("base_requests", r.base_requests);
    numbers("new_requests", r.fresh_requests);
    json_.key("cut_to");
    if (r.compared > 0)
      json_.number(r.compared);
    else
      json_.null();
    json_.field("bursts", r.bursts);
    real("decorrelation_seconds", r.decorrelation);
    json_.key("metrics");
    json_.begin_array();
    for (const auto& row : r.metrics) {
      json_.begin_object();
      json_.field("metric", name_of(row.metric));
      json_.key("unknown");
      json_.text_or_null(row.estimate.missing);
      json_.key("why");
      json_.text_or_null(why_text(r, row.metric));
      estimate(row.estimate, row.metric.relative());
      json_.end_object();
    }
    json_.end_array();
    accounts("mean", r.all);
    accounts("slowest", r.slow);
    json_.end_object();
  }

  JsonWriter& json_;
  const Comparison& c_;
  const std::string& tailcap_;
};

}  // namespace

std::string compare_json(const Comparison& comparison, const std::string& tailcap) {
  std::string out;
  JsonWriter json(out);
  CompareWriter(json, comparison, tailcap).write();
  return out + "\n";
}

}  // namespace tailcap::report
