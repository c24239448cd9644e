// Events in, spans out, through the stages that `tailcap spans` uses.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "analyze/names/lookups.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/spans/otlp.h"
#include "analyze/spans/facts.h"
#include "analyze/spans/imported.h"
#include "analyze/spans/rules.h"
#include "analyze/spans/spans.h"
#include "tests/synth/capture_file.h"
#include "tests/synth/scenario.h"

namespace tailcap::spans {

struct Spans {
  pipeline::Analysis analysis;
  AllEnds ends;
  Imported imported;
  Identities ids;
  struct {
    std::vector<model::SpanResource> resources;
  } result;
  model::SpanFacts facts;

  std::vector<const model::Span*> all() const {
    std::vector<const model::Span*> out;
    for (const auto& r : result.resources)
      for (const auto& s : r.spans) out.push_back(&s);
    return out;
  }
  // The only span of that name.
  const model::Span* named(std::string_view name) const {
    const model::Span* found = nullptr;
    for (const model::Span* s : all()) {
      if (s->name != name) continue;
      if (found) return nullptr;
      found = s;
    }
    return found;
  }
  const model::SpanTally& tally(std::string_view name) const {
    for (const auto& t : facts.tallies)
      if (t.name == name) return t;
    static const model::SpanTally kNone;
    return kNone;
  }
  std::string json() const { return report::otlp_json(imported.resource_spans, result.resources, "test"); }
};

inline std::string text(const model::Attributes& attributes, std::string_view key) {
  const auto* value = attributes.find(key);
  return value ? model::text_of(*value) : "(none)";
}

inline std::unique_ptr<Spans> spans_of_events(const std::vector<formats::Event>& events, std::string_view import = {},
                                              std::string_view rules = {}) {
  auto out = std::make_unique<Spans>();
  if (!import.empty()) out->imported = imported_of(import, "import");
  pipeline::Options options;
  options.study = false;
  options.partition = true;
  options.keep_trace_states = true;
  out->analysis = pipeline::analyze(synth::plain_preamble(), events, options);
  const auto& table = out->analysis.table;
  for (const auto& e : out->analysis.endpoints)
    out->ends.push_back({table.texts[e.local], table.texts[e.remote], e.socket, e.net_namespace});
  out->ids = identities_of(table, out->imported.spans);
  Carriers carriers(table, out->ends);
  Resources resources;
  for (const auto& event : events) {
    carriers.push(event);
    resources.push(event);
  }
  carriers.settle();
  Enrichment enrichment(table, out->ends, carriers);
  names::Lookups lookups;
  for (const auto& event : events) {
    for (const model::Lookup& lookup : lookups.push(event)) enrichment.push(lookup);
    enrichment.push(event);
  }
  enrichment.settle(0);
  const auto& quality = out->analysis.study.quality;
  const Source source{table,
                      out->ends,
                      out->analysis.trace_states,
                      quality.clock,
                      quality.clock_error,
                      quality.preamble,
                      quality.file.first,
                      quality.file.last};
  const std::vector<bool> wanted(table.rows.size(), true);
  SpanMaker maker(source, out->ids, enrichment, resources);
  for (std::uint32_t i = 0; i < wanted.size(); ++i) maker.add(i);
  out->result.resources = maker.take();
  const AttributeRules changes(rules, "rules");
  for (auto& resource : out->result.resources) changes.apply(resource);
  out->facts = facts_of(maker.counts(), out->ids, wanted, enrichment, out->imported);
  return out;
}

}  // namespace tailcap::spans
