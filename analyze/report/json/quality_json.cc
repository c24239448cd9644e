#include "analyze/report/json/quality_json.h"

#include "analyze/report/json/or_null.h"
#include "analyze/report/json/sampling_json.h"
#include "formats/bounds/read_limits.h"
#include "formats/fields/names.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

void time(JsonWriter& json, const model::Quality& q, std::string_view name, formats::Time t) {
  json.key(name);
  if (formats::known(t) && q.clock.known())
    json.number(q.clock.realtime(t));
  else
    json.null();
}

void append_capture(JsonWriter& json, const formats::Preamble& p, const formats::FileSummary& file) {
  json.begin_object();
  json.key("id");
  json.text_or_null(p.capture_id);
  json.key("tool_version");
  json.text_or_null(p.tool_version);
  json.key("host");
  json.text_or_null(p.host);
  json.key("kernel");
  json.text_or_null(p.kernel);
  json.key("architecture");
  json.text_or_null(p.architecture);
  json.field("cpus", p.cpus);
  json.field("hook_tier", name_of(p.tier));
  json.field("hook_tier_reason", p.tier_reason);
  json.field("redacted",
             p.redaction == formats::Redaction::masked_headers || p.redaction == formats::Redaction::allow_list);
  json.field("redaction", name_of(p.redaction));
  json.field("payload_limit", p.payload_limit);
  json.key("targets");
  json.begin_array();
  for (const auto& t : p.targets) json.text(t);
  json.end_array();
  json.key("notes");
  json.begin_array();
  for (const auto& [k, v] : p.notes) {
    json.begin_array();
    json.text(k);
    json.text(v);
    json.end_array();
  }
  json.end_array();
  json.field("state", name_of(file.state));
  json.field("file_bytes", file.file_bytes);
  json.field("blocks", file.blocks);
  json.field("damaged_blocks", file.damaged_blocks);
  json.field("damaged_bytes", file.damaged_bytes);
  json.field("unknown_blocks", file.unknown_blocks);
  json.key("stopped");
  json.text_or_null(formats::stopped_captures().empty() ? ""
                                                        : formats::name_of(formats::stopped_captures().front().reason));
  json.end_object();
}

// Sessions whose plaintext was recorded.
void append_sessions(JsonWriter& json, const model::TlsSessions& sessions) {
  json.key("tls");
  json.begin_object();
  json.field("sessions", sessions.sessions);
  json.field("bound_nested", sessions.nested);
  json.field("bound_lengths", sessions.lengths);
  json.field("unbound", sessions.unbound);
  json.field("bytes", sessions.bytes);
  json.field("unbound_bytes", sessions.unbound_bytes);
  json.end_object();
}

void append_sums(JsonWriter& json, const formats::Masking& masking) {
  json.field("streams", masking.streams);
  json.field("foreign", masking.foreign);
  json.field("doubtful", masking.doubtful);
  json.field("withheld_bytes", masking.withheld);
}

void append_masking(JsonWriter& json, const model::Quality& q) {
  json.key("masking");
  if (q.masking_known) {
    json.begin_object();
    append_sums(json, q.masking);
    json.key("before");
    if (q.masking_before.streams != 0) {
      json.begin_object();
      append_sums(json, q.masking_before);
      json.end_object();
    } else {
      json.null();
    }
    json.end_object();
  } else {
    json.null();
  }
}

void append_losses(JsonWriter& json, const model::Quality& q) {
  json.key("losses");
  json.begin_array();
  for (const auto& loss : q.losses) {
    json.begin_object();
    time(json, q, "from_ns", loss.from);
    time(json, q, "to_ns", loss.to);
    json.field("count", loss.count);
    json.field("what", loss.what);
    json.end_object();
  }
  json.end_array();
}

void append_processes(JsonWriter& json, const model::Quality& q) {
  json.key("processes");
  json.begin_array();
  for (const auto& p : q.processes) {
    json.begin_object();
    json.field("pid", formats::number_of(p.pid));
    json.field("machine", formats::machine_of(p.pid) + 1);
    json.key("comm");
    json.text_or_null(p.comm);
    json.key("command_line");
    json.text_or_null(p.command_line);
    json.field("requests", p.requests);
    json.field("recorded", p.recorded);
    json.end_object();
  }
  json.end_array();
}

void append_findings(JsonWriter& json, const model::Quality& q) {
  json.key("findings");
  json.begin_array();
  for (std::size_t i = 0; i < static_cast<std::size_t>(model::Finding::count_); ++i) {
    const auto finding = static_cast<model::Finding>(i);
    if (q.findings[finding] == 0) continue;
    const auto& text = model::text_of(finding);
    json.begin_object();
    json.field("name", text.name);
    json.field("severity", name_of(text.severity));
    json.field("count", q.findings[finding]);
    json.field("text", text.text);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void append_quality(JsonWriter& json, const model::Quality& q) {
  json.begin_object();
  json.key("capture");
  append_capture(json, q.preamble, q.file);
  json.field("duration_ns", std::int64_t{q.duration.count()});
  field_or_null(json, "read_from_ns", formats::known(q.read_from), (q.read_from - q.file.first).count());
  field_or_null(json, "read_until_ns", formats::known(q.read_until), (q.read_until - q.file.first).count());
  json.field("events", q.events);
  json.field("lost", q.lost);
  json.field("requests", q.requests);
  json.field("complete", q.complete);
  json.field("incomplete", q.incomplete);
  json.field("unseen_at_most", q.unseen);
  json.field("unknown", q.unknown);
  json.field("tainted", q.tainted);
  json.field("retries", q.retries);
  json.field("retries_inferred", q.retries_inferred);
  json.field("retried_calls", q.retried_calls);
  json.key("sampling");
  append_sampling(json, q);
  json.key("budget");
  append_budget(json, q.budget);
  json.field("connections", q.connections);
  json.field("connections_http", q.connections_http);
  json.field("connections_other", q.connections_other);
  json.field("connections_encrypted", q.connections_encrypted);
  json.field("connections_moved", q.connections_moved);
  json.field("connections_unread", q.connections_unread);
  append_sessions(json, q.tls);
  json.field("failed_connections", q.failed_connections);
  json.field("retransmits", q.retransmits);
  field_or_null(json, "clock_error_ns", q.clock.known(), q.clock_error.count());
  json.field("clock_stepped", q.clock_stepped);
  field_or_null(json, "recorder_cpu_ns", q.recorder_known, q.recorder_cpu.count());
  json.key("recorder_resident_bytes");
  if (q.recorder_known)
    json.number(q.recorder_resident);
  else
    json.null();
  append_masking(json, q);
  json.field("program_runs", q.program_runs);
  field_or_null(json, "program_time_ns", q.program_time.count() > 0, q.program_time.count());
  append_losses(json, q);
  append_processes(json, q);
  append_findings(json, q);
  json.end_object();
}

}  // namespace tailcap::report
