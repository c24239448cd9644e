#include "analyze/report/tail/tail_json.h"

#include <cmath>

#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/share.h"
#include "analyze/report/tail/verdict_json.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::tail {
namespace {

using model::TailStudy;

std::string_view name_of(model::Exemplar::Why why) {
  constexpr std::string_view names[] = {"slowest", "representative", "second_cause"};
  return names[static_cast<std::size_t>(why)];
}

void append_labels(JsonWriter& json, const TailStudy& tail) {
  json.key("labels");
  json.begin_array();
  for (const auto& d : tail.labels) {
    json.begin_object();
    json.field("label", model::name_of(d.label));
    json.field("slow_ns", d.slow);
    json.field("typical_ns", d.typical);
    json.field("difference_ns", d.difference());
    json.key("low_ns");
    tail.intervals ? json.number(d.low) : json.null();
    json.key("high_ns");
    tail.intervals ? json.number(d.high) : json.null();
    json.field("significant", d.significant);
    json.field("slow_with", d.slow_with);
    json.field("slow_dominant", d.slow_dominant);
    json.field("slow_inferred_ns", d.slow_inferred);
    json.field("slow_sampled_ns", d.slow_sampled);
    json.end_object();
  }
  json.end_array();
}

void append_bands(JsonWriter& json, const TailStudy& tail) {
  json.key("bands");
  json.begin_array();
  for (const auto& b : tail.bands) {
    json.begin_object();
    json.key("from");
    json.real(b.from);
    json.key("to");
    json.real(b.to);
    json.field("count", b.count);
    json.field("mean_ns", b.mean);
    json.key("labels");
    json.begin_object();
    for (const auto& [label, ns] : b.labels) json.field(model::name_of(label), ns);
    json.end_object();
    json.end_object();
  }
  json.end_array();
}

void append_culprits(JsonWriter& json, const TailStudy& tail, const model::TextPool& texts) {
  json.key("culprits");
  json.begin_array();
  for (const auto& c : tail.culprits) append_culprit(json, c, texts);
  json.end_array();
}

void append_comparison(JsonWriter& json, const TailStudy& tail, const model::RequestTable& table,
                       const model::WallClock& clock) {
  json.field("slow", tail.slow);
  json.field("typical", tail.typical);
  json.field("matched_loosely", tail.matched_loosely);
  json.field("matched_by_route", tail.matched_by_route);
  json.field("slow_mean_ns", tail.slow_mean);
  json.field("typical_mean_ns", tail.typical_mean);
  json.field("gap_ns", tail.gap());
  json.key("gap_low_ns");
  tail.intervals ? json.number(tail.gap_low) : json.null();
  json.key("gap_high_ns");
  tail.intervals ? json.number(tail.gap_high) : json.null();
  json.field("blocks", tail.blocks);
  json.field("ordinary_slow_mean_ns", tail.ordinary_slow_mean);
  json.field("bursts", tail.bursts);
  share(json, "bursts_if_spread", tail.bursts_if_spread);
  json.field("largest_burst", tail.largest_burst);
  json.key("largest_burst_at_ns");
  formats::known(tail.largest_burst_at) && clock.known() ? json.number(clock.realtime(tail.largest_burst_at))
                                                         : json.null();
  json.field("slow_lossy", tail.slow_lossy);
  json.field("typical_lossy", tail.typical_lossy);
  append_labels(json, tail);
  append_bands(json, tail);
  append_culprits(json, tail, table.texts);
  json.key("exemplars");
  json.begin_array();
  for (const auto& e : tail.exemplars) {
    json.begin_object();
    json.field("id", id_text(table.rows.id(e.row)));
    json.field("why", name_of(e.why));
    json.field("typical", id_text(table.rows.id(e.typical)));
    json.end_object();
  }
  json.end_array();
}

}  // namespace

void append_tail(std::string& out, const model::RouteStudy& route, const model::Study& study,
                 const model::RequestTable& table) {
  JsonWriter json(out);
  const model::WallClock& clock = study.quality.clock;
  if (!route.tail) return json.null();
  const TailStudy& tail = *route.tail;
  json.begin_object();
  json.key("verdict");
  append_verdict(json, tail.verdict, study, table);
  json.key("doubt");
  json.text_or_null(tail.doubt);
  json.field("requests", tail.requests);
  share(json, "unexplained_share", tail.unexplained);
  share(json, "causeless_share", tail.causeless);
  share(json, "inferred_share", tail.inferred);
  json.key("slow_from");
  tail.slow_from > 0 ? json.real(tail.slow_from) : json.null();
  if (tail.compared()) append_comparison(json, tail, table, clock);
  json.end_object();
}

}  // namespace tailcap::report::tail
