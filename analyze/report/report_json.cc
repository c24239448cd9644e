#include "analyze/report/report_json.h"

#include <cmath>

#include "analyze/report/go/go_lines.h"
#include "analyze/report/json/call_json.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/json/wire_json.h"
#include "analyze/report/sections/changes.h"
#include "analyze/report/sections/health.h"
#include "analyze/report/sections/incident_grid.h"
#include "analyze/report/sections/tls_lines.h"
#include "analyze/report/sections/triggers.h"
#include "analyze/report/tail/load_lines.h"
#include "analyze/report/tail/tail_json.h"
#include "analyze/report/tail/verdict_json.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/words.h"
#include "formats/file/read_limits.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

using formats::Time;
using model::Duration;
using model::Quantile;
using model::RouteStudy;
using model::Support;

std::string_view name_of(Support support) {
  switch (support) {
    case Support::full:
      return "full";
    case Support::low:
      return "low";
    case Support::lower_only:
      return "lower_only";
    case Support::refused:
      return "refused";
    case Support::no_interval:
      return "no_interval";
  }
  return "unknown";
}

std::string_view name_of(formats::CaptureState state) {
  constexpr std::string_view names[] = {"complete", "truncated", "recovered", "recording"};
  const auto i = static_cast<std::size_t>(state);
  return i < std::size(names) ? names[i] : "unknown";
}

std::string_view name_of(formats::HookTier tier) {
  constexpr std::string_view names[] = {"unknown", "a", "b", "c"};
  const auto i = static_cast<std::size_t>(tier);
  return i < std::size(names) ? names[i] : "unknown";
}

std::string_view name_of(model::Severity severity) {
  constexpr std::string_view names[] = {"note", "caution", "defect"};
  return names[static_cast<std::size_t>(severity)];
}

class Writer {
 public:
  Writer(std::string& out, const model::Study& study, const model::RequestTable& table)
      : out_(out), json_(out), study_(study), table_(table) {}

  void write() {
    json_.begin_object();
    json_.field("schema", kJsonSchema);
    time("begin_ns", study_.begin);
    time("end_ns", study_.end);
    json_.key("quality");
    quality(study_.quality);
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
  void duration(std::string_view name, Duration d) { json_.field(name, std::int64_t{d.count()}); }
  void duration(std::string_view name, Duration d, bool known) {
    json_.key(name);
    if (known)
      json_.number(std::int64_t{d.count()});
    else
      json_.null();
  }
  void mean(std::string_view name, double ns) { json_.field(name, static_cast<std::int64_t>(std::llround(ns))); }

  // As in `tailcap requests --json`, without what only that knows: addresses and headers.
  void request(std::uint32_t i) {
    std::string row;
    append_request(row, table_, table_.rows[i], study_.quality.clock);
    json_.raw(row);
  }

  void quantile(const Quantile& q) {
    const bool value = q.support != Support::refused && q.support != Support::lower_only;
    const bool interval = q.support == Support::full || q.support == Support::low;
    json_.begin_object();
    json_.key("q");
    json_.real(q.q);
    json_.field("support", name_of(q.support));
    duration("value_ns", q.value, value);
    duration("low_ns", q.low, interval || q.support == Support::lower_only);
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

  void capture(const formats::Preamble& p, const formats::FileSummary& file) {
    json_.key("capture");
    json_.begin_object();
    json_.key("id");
    json_.text_or_null(p.capture_id);
    json_.key("tool_version");
    json_.text_or_null(p.tool_version);
    json_.key("host");
    json_.text_or_null(p.host);
    json_.key("kernel");
    json_.text_or_null(p.kernel);
    json_.key("architecture");
    json_.text_or_null(p.architecture);
    json_.field("cpus", p.cpus);
    json_.field("hook_tier", name_of(p.tier));
    json_.field("hook_tier_reason", p.tier_reason);
    json_.field("redacted",
                p.redaction == formats::Redaction::masked_headers || p.redaction == formats::Redaction::allow_list);
    json_.field("redaction", name_of(p.redaction));
    json_.field("payload_limit", p.payload_limit);
    json_.key("targets");
    json_.begin_array();
    for (const auto& t : p.targets) json_.text(t);
    json_.end_array();
    json_.key("notes");
    json_.begin_array();
    for (const auto& [k, v] : p.notes) {
      json_.begin_array();
      json_.text(k);
      json_.text(v);
      json_.end_array();
    }
    json_.end_array();
    json_.field("state", name_of(file.state));
    json_.field("file_bytes", file.file_bytes);
    json_.field("blocks", file.blocks);
    json_.field("damaged_blocks", file.damaged_blocks);
    json_.field("damaged_bytes", file.damaged_bytes);
    json_.field("unknown_blocks", file.unknown_blocks);
    json_.key("stopped");
    json_.text_or_null(
        formats::stopped_captures().empty() ? "" : formats::name_of(formats::stopped_captures().front().reason));
    json_.end_object();
  }

  void quality(const model::Quality& q) {
    json_.begin_object();
    capture(q.preamble, q.file);
    duration("duration_ns", q.duration);
    json_.field("events", q.events);
    json_.field("lost", q.lost);
    json_.field("requests", q.requests);
    json_.field("complete", q.complete);
    json_.field("incomplete", q.incomplete);
    json_.field("unseen_at_most", q.unseen);
    json_.field("unknown", q.unknown);
    json_.field("tainted", q.tainted);
    json_.field("retries", q.retries);
    json_.field("retries_inferred", q.retries_inferred);
    json_.field("retried_calls", q.retried_calls);
    json_.field("connections", q.connections);
    json_.field("connections_http", q.connections_http);
    json_.field("connections_other", q.connections_other);
    json_.field("connections_encrypted", q.connections_encrypted);
    append_sessions(json_, q.tls);
    json_.field("failed_connections", q.failed_connections);
    json_.field("retransmits", q.retransmits);
    duration("clock_error_ns", q.clock_error, q.clock.known());
    json_.field("clock_stepped", q.clock_stepped);
    duration("recorder_cpu_ns", q.recorder_cpu, q.recorder_known);
    json_.key("recorder_resident_bytes");
    if (q.recorder_known)
      json_.number(q.recorder_resident);
    else
      json_.null();
    json_.key("masking");
    if (q.masking_known) {
      json_.begin_object();
      json_.field("streams", q.masking.streams);
      json_.field("foreign", q.masking.foreign);
      json_.field("doubtful", q.masking.doubtful);
      json_.field("withheld_bytes", q.masking.withheld);
      json_.end_object();
    } else {
      json_.null();
    }
    json_.field("program_runs", q.program_runs);
    duration("program_time_ns", q.program_time, q.program_time.count() > 0);
    json_.key("losses");
    json_.begin_array();
    for (const auto& loss : q.losses) {
      json_.begin_object();
      time("from_ns", loss.from);
      time("to_ns", loss.to);
      json_.field("count", loss.count);
      json_.field("what", loss.what);
      json_.end_object();
    }
    json_.end_array();
    json_.key("processes");
    json_.begin_array();
    for (const auto& p : q.processes) {
      json_.begin_object();
      json_.field("pid", formats::number_of(p.pid));
      json_.field("machine", formats::machine_of(p.pid) + 1);
      json_.key("comm");
      json_.text_or_null(p.comm);
      json_.key("command_line");
      json_.text_or_null(p.command_line);
      json_.field("requests", p.requests);
      json_.end_object();
    }
    json_.end_array();
    json_.key("findings");
    json_.begin_array();
    for (std::size_t i = 0; i < static_cast<std::size_t>(model::Finding::count_); ++i) {
      const auto finding = static_cast<model::Finding>(i);
      if (q.findings[finding] == 0) continue;
      const auto& text = model::text_of(finding);
      json_.begin_object();
      json_.field("name", text.name);
      json_.field("severity", name_of(text.severity));
      json_.field("count", q.findings[finding]);
      json_.field("text", text.text);
      json_.end_object();
    }
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
  Writer(out, study, table).write();
  return out;
}

}  // namespace tailcap::report
