#include "analyze/spans/facts.h"

#include <map>
#include <string>
#include <unordered_set>

namespace tailcap::spans {
namespace {

using Counted = std::map<std::string, std::uint64_t>;

std::string_view parent_name(const Identity& id) {
  switch (id.parent_how) {
    case ParentHow::none:
      break;
    case ParentHow::wire:
      return "named by a header";
    case ParentHow::other_end:
      return "the calling end";
    case ParentHow::cause:
      return id.parent_certain ? "found, certain" : "found, likely";
  }
  return id.link != Identity::kNone ? "in another trace, linked" : "none known";
}

}  // namespace

model::SpanFacts facts_of(const Counts& counts, const Identities& identities, const std::vector<bool>& wanted,
                          const Enrichment& enrichment, const Imported& imported) {
  model::SpanFacts out;
  out.requests = counts.requests;
  out.setup = counts.setup;
  out.not_placed = counts.not_placed;
  out.waits = counts.waits;
  out.waits_left_out = counts.waits_left_out;
  out.without_waits = counts.without_waits;
  std::unordered_set<model::SpanContext, ContextHash> there, holes;
  for (const ForeignSpan& span : imported.spans) {
    there.insert(key_of(span.context));
    out.imported_matched += span.matched > 0;
  }
  for (const ForeignSpan& span : imported.spans) {
    model::SpanContext above = key_of(span.context);
    above.span = span.parent;
    if (span.parent != 0 && there.count(above) == 0) holes.insert(above);
  }
  out.imported = imported.spans.size() + imported.without_ids;
  out.imported_without_ids = imported.without_ids;
  out.holes = holes.size();
  Counted traces, spans, parents;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i]) continue;
    const Identity& id = identities.rows[i];
    ++traces[std::string(id.trace_source)];
    ++spans[std::string(id.foreign >= 0 ? "imported" : id.span_source)];
    ++parents[std::string(parent_name(id))];
    if (id.foreign < 0) out.holes_filled += holes.erase(key_of(id.context));
  }
  out.trace_sources.assign(traces.begin(), traces.end());
  out.span_sources.assign(spans.begin(), spans.end());
  out.parents.assign(parents.begin(), parents.end());
  for (const EnrichmentRule& rule : kRules) {
    const EnrichmentTally& tally = enrichment.tallies()[static_cast<std::size_t>(rule.subject)];
    out.tallies.push_back(
        {rule.name, rule.events, rule.match, rule.becomes, tally.attached, tally.unmatched, tally.several});
  }
  return out;
}

}  // namespace tailcap::spans
