#include "analyze/report/json/wire_json.h"

#include "analyze/report/json/or_null.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

void counts(JsonWriter& json, std::string_view what, const std::vector<std::pair<std::string, std::uint64_t>>& list) {
  json.key("failures");
  json.begin_array();
  for (const auto& [text, count] : list) {
    json.begin_object();
    json.field(what, text);
    json.field("count", count);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void append_tls_peer(JsonWriter& json, const model::TlsPeer& p) {
  json.begin_object();
  json.key("role");
  if (p.role_known)
    json.text(model::name_of(p.role));
  else
    json.null();
  json.key("peer");
  json.text_or_null(p.peer);
  json.key("server_name");
  json.text_or_null(p.server_name);
  json.key("version");
  json.text_or_null(p.version);
  json.field("connections", p.connections);
  json.field("encrypted", p.encrypted);
  json.field("handshakes_done", p.done);
  json.field("handshakes_failed", p.failed);
  json.field("resumed", p.resumed);
  json.field("resumed_unknown", p.resumed_unknown);
  field_or_null(json, "handshake_median_ns", p.timed > 0, p.median.count());
  json.field("handshakes_timed", p.timed);
  json.field("bytes_in", p.bytes_in);
  json.field("bytes_out", p.bytes_out);
  counts(json, "cause", p.failures);
  json.end_object();
}

void append_listen_queue(JsonWriter& json, const model::ListenQueue& q, const model::WallClock& clock) {
  json.begin_object();
  json.field("address", q.address);
  json.key("pid");
  if (q.pid != 0)
    json.number(std::uint64_t{formats::number_of(q.pid)});
  else
    json.null();
  json.key("comm");
  json.text_or_null(q.comm);
  json.field("limit", q.limit);
  json.field("longest", q.longest);
  json.field("established", q.established);
  json.field("dropped", q.dropped);
  field_or_null(json, "from_ns", clock.known() && formats::known(q.from), clock.realtime(q.from));
  field_or_null(json, "to_ns", clock.known() && formats::known(q.to), clock.realtime(q.to));
  json.end_object();
}

void append_name(JsonWriter& json, const model::NameStudy& n) {
  json.begin_object();
  json.field("name", n.name);
  json.key("server");
  json.text_or_null(n.server);
  json.field("lookups", n.lookups);
  json.field("answered", n.answered);
  json.field("repeated", n.repeated);
  json.field("attempts", n.attempts);
  field_or_null(json, "median_ns", n.timed > 0, n.median.count());
  field_or_null(json, "longest_ns", n.timed > 0, n.longest.count());
  counts(json, "result", n.failures);
  json.end_object();
}

}  // namespace tailcap::report
