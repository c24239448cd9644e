#include "analyze/report/tail/verdict_json.h"

#include <cmath>

#include "analyze/report/json/function_json.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

void id_or_null(JsonWriter& json, std::string_view name, model::ExchangeId id) {
  json.key(name);
  json.text_or_null(id.connection == 0 ? std::string{} : id_text(id));
}

// Shares: more digits would only be noise.
void share(JsonWriter& json, std::string_view name, double value) {
  json.key(name);
  json.real(std::round(value * 1e6) / 1e6);
}

void append_bursts(JsonWriter& json, std::string_view name, const std::vector<model::Burst>& bursts,
                   formats::Time begin) {
  json.key(name);
  json.begin_array();
  for (const model::Burst& b : bursts) {
    json.begin_object();
    json.field("from_ns", (b.from - begin).count());
    json.field("to_ns", (b.to - begin).count());
    json.field("requests", b.requests);
    json.end_object();
  }
  json.end_array();
}

void append_who(JsonWriter& json, const std::optional<model::CulpritStudy>& who, const model::TextPool& texts) {
  json.key("who");
  if (who)
    append_culprit(json, *who, texts);
  else
    json.null();
}

void append_part(JsonWriter& json, const model::VerdictPart& part, const model::TextPool& texts) {
  json.begin_object();
  json.field("label", model::name_of(part.label));
  json.key("labels");
  json.begin_array();
  for (const model::Label label : part.labels) json.text(model::name_of(label));
  json.end_array();
  json.field("origin", model::name_of(part.origin));
  json.field("slow_ns", part.slow);
  json.field("typical_ns", part.typical);
  share(json, "crowded_share", part.crowded);
  share(json, "stolen_share", part.stolen);
  json.field("mainly", part.mainly);
  json.field("inferred", part.inferred);
  append_who(json, part.who, texts);
  json.field("root", model::name_of(part.root));
  json.key("chain");
  json.begin_array();
  for (const model::VerdictStep& step : part.chain) {
    json.begin_object();
    json.field("label", model::name_of(step.label));
    json.field("slow_ns", step.slow);
    append_who(json, step.who, texts);
    json.end_object();
  }
  json.end_array();
  json.field("beyond_capture", part.beyond_capture);
  json.end_object();
}

void append_end(JsonWriter& json, const model::FailedEnd& end) {
  json.begin_object();
  json.key("status");
  end.status == 0 ? json.null() : json.number(std::uint64_t{end.status});
  json.key("grpc_status");
  end.grpc_status < 0 ? json.null() : json.number(std::int64_t{end.grpc_status});
  json.field("outcome", model::name_of(end.outcome));
  json.key("error_code");
  json.text_or_null(end.error_code);
  json.field("requests", end.requests);
  json.key("grpc_message");
  json.text_or_null(end.message);
  json.end_object();
}

void append_cause(JsonWriter& json, const model::FailureCause& c) {
  json.begin_object();
  json.field("kind", model::name_of(c.kind));
  json.field("what", c.what);
  json.key("cause");
  json.text_or_null(c.cause);
  json.key("end");
  c.kind == model::TroubleKind::call ? append_end(json, c.end) : json.null();
  json.field("failed", c.failed);
  json.field("others", c.others);
  json.key("by_thread");
  const bool elsewhere =
      c.kind == model::TroubleKind::name || c.kind == model::TroubleKind::connect || c.kind == model::TroubleKind::tls;
  elsewhere ? json.boolean(c.by_thread) : json.null();
  json.key("idle_ns");
  c.idle >= 0 ? json.number(c.idle) : json.null();
  id_or_null(json, "example", c.example);
  json.end_object();
}

void append_trait(JsonWriter& json, const model::SharedTrait& t) {
  json.begin_object();
  json.field("trait", model::name_of(t.kind));
  json.key("value");
  json.text_or_null(t.value);
  json.key("number");
  t.number == 0 ? json.null() : json.number(static_cast<std::uint64_t>(t.number));
  json.field("slow", t.slow);
  json.field("of_slow", t.of_slow);
  json.field("others", t.others);
  json.field("of_others", t.of_others);
  json.end_object();
}

}  // namespace

void append_culprit(JsonWriter& json, const model::CulpritStudy& c, const model::TextPool& texts) {
  json.begin_object();
  json.field("label", model::name_of(c.label));
  json.key("what");
  const bool numbered = !c.group.path.empty() || !c.peer.address.empty();
  json.text_or_null(c.what == 0 || numbered ? std::string() : address_text(c.what));
  json.key("device");
  json.text_or_null(c.device);
  append_group(json, &c.group);
  append_peer(json, &c.peer);
  json.key("method");
  json.text_or_null(texts[c.method]);
  json.key("route");
  json.text_or_null(texts[c.route]);
  json.key("authority");
  json.text_or_null(texts[c.authority]);
  json.key("tid");
  c.tid == 0 ? json.null() : json.number(std::uint64_t{c.tid});
  json.key("inside");
  c.inside_time == 0 ? json.null() : json.text(model::name_of(c.inside));
  json.key("inside_ns");
  c.inside_time == 0 ? json.null() : json.number(c.inside_time);
  json.field("slow_requests", c.slow);
  json.field("time_ns", c.time);
  id_or_null(json, "held_up", c.held_up);
  id_or_null(json, "by", c.example);
  json.end_object();
}

void append_verdict(JsonWriter& json, const model::Verdict& v, const model::Study& study,
                    const model::RequestTable& table) {
  json.begin_object();
  json.field("scope", model::name_of(v.scope));
  json.key("routes");
  json.begin_array();
  for (const std::uint32_t route : v.routes) json.number(std::uint64_t{route});
  json.end_array();
  json.field("kind", model::name_of(v.kind));
  json.field("level", model::name_of(v.level));
  json.field("pattern", model::name_of(v.pattern));
  json.key("sentence");
  json.text_or_null(sentence(v, study, table));
  json.key("parts");
  json.begin_array();
  for (const model::VerdictPart& part : v.parts) append_part(json, part, table.texts);
  json.end_array();
  json.field("ranked", v.ranked);
  json.field("requests", v.requests);
  json.field("of", v.of);
  json.field("slow_ns", v.slow);
  json.field("typical_ns", v.typical);
  json.field("excess_ns", v.excess);
  json.field("lost_ns", v.lost);
  json.key("oldest_ns");
  v.kind == model::VerdictKind::unfinished ? json.number(v.oldest) : json.null();
  json.field("kind_of_their_own", v.kind_of_their_own);
  append_bursts(json, "when", v.when, study.begin);
  json.key("rate_per_minute");
  if (v.rate_high > 0) {
    json.begin_array();
    json.real(std::round(v.rate_low * 1000) / 1000);
    json.real(std::round(v.rate_high * 1000) / 1000);
    json.end_array();
  } else {
    json.null();
  }
  json.key("shared");
  json.begin_array();
  for (const model::SharedTrait& t : v.shared) append_trait(json, t);
  json.end_array();
  json.key("ends");
  json.begin_array();
  for (const model::FailedEnd& end : v.ends) append_end(json, end);
  json.end_array();
  json.key("causes");
  json.begin_array();
  for (const model::FailureCause& c : v.causes) append_cause(json, c);
  json.end_array();
  json.key("function");
  append_function(json, v.function);
  json.key("part_of");
  v.part_of < 0 ? json.null() : json.number(static_cast<std::uint64_t>(v.part_of));
  json.field("explained_ns", v.explained);
  json.key("examples");
  json.begin_array();
  for (const model::ExchangeId id : v.examples) json.text(id_text(id));
  json.end_array();
  json.end_object();
}

void append_shortage(JsonWriter& json, const model::Study& study) {
  const model::CpuShortage& s = study.shortage;
  json.begin_object();
  json.field("short_ns", s.total);
  share(json, "own_cpus", s.own);
  json.field("cpus", std::uint64_t{s.cpus});
  json.key("steal_ns");
  s.stolen < 0 ? json.null() : json.number(s.stolen);
  json.key("steal_cpus");
  s.takers_known ? json.real(std::round(s.steal * 1000) / 1000) : json.null();
  json.key("recorder_cpus");
  s.takers_known ? json.real(std::round(s.recorder * 1000) / 1000) : json.null();
  json.key("processes");
  if (s.takers_known) {
    json.begin_array();
    for (const model::CpuTaker& t : s.takers) {
      json.begin_object();
      json.field("comm", t.comm);
      json.field("processes", t.processes);
      json.key("cpus");
      json.real(std::round(t.cpus * 1000) / 1000);
      json.end_object();
    }
    json.end_array();
  } else {
    json.null();
  }
  append_bursts(json, "episodes", s.episodes, study.begin);
  json.end_object();
}

}  // namespace tailcap::report::tail
