#include "analyze/report/report_json.h"

#include <cmath>

#include "analyze/report/go/go_lines.h"
#include "analyze/report/json/call_json.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/or_null.h"
#include "analyze/report/json/quality_json.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/json/sampling_json.h"
#include "analyze/report/json/wire_json.h"
#include "analyze/report/sections/changes.h"
#include "analyze/report/sections/health.h"
#include "analyze/report/sections/incident_grid.h"
#include "analyze/report/sections/triggers.h"
#include "analyze/report/tail/load_lines.h"
#include "analyze/report/tail/tail_json.h"
#include "analyze/report/tail/verdict_json.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using formats::Time;
using model::Duration;
using model::Quantile;
using model::RouteStudy;
using model::Support;

class ReportWriter {
 public:
  ReportWriter(std::string& out, const model::Study& study, const model::RequestTable& table)
      : out_(out), json_(out), study_(study), table_(table) {}

  void write() {
    json_.begin_object();
    json_.field("schema", kJsonSchema);
    time("begin_ns", study_.begin);
    time("end_ns", study_.end);
    json_.key("quality");
    append_quality(json_, study_.quality);
    json_.key("verdicts");
    json_.begin_array();
    for (const model::Verdict& v : study_.verdicts) tail::append_verdict(json_, v, study_, table_);
    json_.end_array();
    json_.key("machine");
    tail::append_shortage(json_, study_);
    json_.key("routes");
    json_.begin_array();
    for (const RouteStudy& r : study_.routes) route(r);
    json_.end_array();
    json_.key("slowest");
    json_.begin_array();
    for (const std::uint32_t i : study_.slowest) request(i);
    json_.end_array();
    json_.key("tls");
    json_.begin_array();
    for (const auto& p : study_.tls) append_tls_peer(json_, p);
    json_.end_array();
    json_.key("listen_queues");
    json_.begin_array();
    for (const auto& q : study_.queues) append_listen_queue(json_, q, study_.quality.clock);
    json_.end_array();
    json_.key("names");
    json_.begin_array();
    for (const auto& n : study_.names) append_name(json_, n);
    json_.end_array();
    json_.key("go");
    json_.begin_array();
    for (const auto& g : study_.go) append_go_program(json_, g, study_.quality.clock);
    json_.end_array();
    json_.key("incidents");
    json_.begin_array();
    for (const auto& i : study_.incidents) append_incident(json_, i, study_.quality.clock);
    json_.end_array();
    json_.key("changes");
    append_changes(json_, study_);
    json_.key("health");
    append_health(json_, study_);
    json_.key("triggers");
    json_.begin_array();
    for (const auto& t : study_.triggers) append_trigger(json_, study_, t);
    json_.end_array();
    json_.key("arrivals");
    tail::append_arrivals(json_, study_.arrivals);
    json_.key("connection_failures");
    json_.begin_array();
    for (const auto& f : study_.failures) {
      json_.begin_object();
      json_.field("peer", f.peer);
      json_.field("cause", f.cause);
      json_.field("count", f.count);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
    out_ += '\n';
  }

 private:
  void time(std::string_view name, Time t) {
    json_.key(name);
    if (formats::known(t) && study_.quality.clock.known())
      json_.number(study_.quality.clock.realtime(t));
    else
      json_.null();
  }
  void duration(std::string_view name, Duration d, bool known) { field_or_null(json_, name, known, d.count()); }
  void mean(std::string_view name, double ns) { json_.field(name, static_cast<std::int64_t>(std::llround(ns))); }

  // As in `tailcap requests --json`, without what only that knows: addresses and headers.
  void request(std::uint32_t i) {
    std::string row;
    append_request(row, table_, table_.rows[i], study_.quality.clock);
    json_.raw(row);
  }

  void quantile(const Quantile& q) {
    const bool at_least = q.support == Support::at_least;
    const bool value = q.support != Support::refused && q.support != Support::lower_only && !at_least;
    const bool interval = q.support == Support::full || q.support == Support::low;
    json_.begin_object();
    json_.key("q");
    json_.real(q.q);
    json_.field("support", name_of(q.support));
    duration("value_ns", q.value, value);
    duration("low_ns", at_least ? q.value : q.low, interval || at_least || q.support == Support::lower_only);
    duration("high_ns", q.high, interval);
    json_.key("effective_n");
    json_.real(std::round(q.effective_n * 10) / 10);
    json_.key("reason");
    json_.text_or_null(q.reason);
    json_.end_object();
  }

  void quantiles(std::string_view name, const std::array<Quantile, model::kQuantiles.size()>& values) {
    json_.key(name);
    json_.begin_array();
    for (const Quantile& q : values) quantile(q);
    json_.end_array();
  }

  void band(const model::Band& b, model::Role role) {
    json_.begin_object();
    json_.key("from");
    json_.real(b.from);
    json_.key("to");
    json_.real(b.to);
    json_.field("count", b.count);
    duration("mean_ns", b.mean, b.count > 0);
    json_.key("phases");
    json_.begin_object();
    const auto names = model::phases_of(role);
    for (std::size_t i = 0; i < names.size(); ++i) mean(model::name_of(names[i]), b.phases[i]);
    json_.end_object();
    json_.end_object();
  }

  void held_up(std::string_view name, const model::HeldUp& held) {
    json_.key(name);
    json_.begin_object();
    json_.field("count", held.count);
    duration("median_ns", held.median, held.count > 0);
    duration("longest_ns", held.longest, held.count > 0);
    json_.end_object();
  }

  // Where connections are sampled.
  void all(const RouteStudy& r) {
    if (!r.all) return json_.null();
    json_.begin_object();
    json_.key("requests");
    append_estimate(json_, r.all, 1);
    json_.key("per_second");
    append_estimate(json_, r.all, r.per_second > 0 ? static_cast<double>(r.count) / r.per_second : 0);
    json_.end_object();
  }

  void route(const RouteStudy& r) {
    json_.begin_object();
    json_.key("method");
    json_.text_or_null(r.method);
    json_.key("route");
    json_.text_or_null(r.route);
    json_.field("role", model::name_of(r.role));
    json_.key("comm");
    json_.text_or_null(r.comm);
    json_.key("handlers");
    json_.begin_array();
    for (const auto& [name, n] : r.handlers) {
      json_.begin_object();
      json_.field("name", name);
      json_.field("count", n);
      json_.end_object();
    }
    json_.end_array();
    json_.field("count", r.count);
    json_.field("incomplete", r.incomplete);
    json_.field("tainted", r.tainted);
    json_.field("latency_tainted", r.latency_tainted);
    json_.field("client_errors", r.client_errors);
    json_.field("server_errors", r.server_errors);
    json_.field("other_failures", r.other_failures);
    held_up("flow_control", r.flow_control);
    held_up("behind_others", r.behind_others);
    held_up("stream_limit", r.stream_limit);
    held_up("dns", r.dns);
    held_up("connect", r.connect);
    held_up("tls_handshake", r.tls_handshake);
    json_.key("per_second");
    json_.real(r.per_second);
    json_.field("connections", r.connections);
    json_.key("all");
    all(r);
    std::string calls;
    append_calls(calls, r, table_, study_.quality.clock);
    json_.key("rpc");
    json_.raw(calls);
    std::string tail;
    tail::append_tail(tail, r, study_, table_);
    json_.key("tail");
    json_.raw(tail);
    json_.key("load");
    tail::append_load(json_, r, table_.texts);
    quantiles("latency", r.latency);
    quantiles("first_byte", r.first_byte);
    json_.key("independent_periods");
    json_.real(std::round(r.independent_periods * 10) / 10);
    json_.field("request_bytes", r.request_bytes);
    json_.field("request_bytes_unknown", r.request_bytes_unknown);
    json_.field("response_bytes", r.response_bytes);
    json_.field("response_bytes_unknown", r.response_bytes_unknown);
    json_.key("bands");
    json_.begin_array();
    for (const auto& b : r.bands) band(b, r.role);
    json_.end_array();
    json_.key("ccdf");
    json_.begin_array();
    for (const auto& p : r.ccdf) {
      json_.begin_array();
      json_.number(std::int64_t{p.at.count()});
      json_.real(p.share_above);
      json_.end_array();
    }
    json_.end_array();
    json_.key("over_time");
    json_.begin_array();
    for (const auto& p : r.over_time) {
      json_.begin_object();
      time("from_ns", p.from);
      json_.field("count", p.count);
      json_.field("errors", p.errors);
      duration("p50_ns", p.p50, p.count > 0);
      duration("p99_ns", p.p99, p.count > 0);
      duration("max_ns", p.max, p.count > 0);
      json_.end_object();
    }
    json_.end_array();
    json_.key("slowest");
    json_.begin_array();
    for (const std::uint32_t i : r.slowest) json_.text(id_text(table_.rows[i].id));
    json_.end_array();
    json_.end_object();
  }

  std::string& out_;
  JsonWriter json_;
  const model::Study& study_;
  const model::RequestTable& table_;
};

}  // namespace

std::string json_report(const model::Study& study, const model::RequestTable& table) {
  std::string out;
  ReportWriter(out, study, table).write();
  return out;
}

}  // namespace tailcap::report
