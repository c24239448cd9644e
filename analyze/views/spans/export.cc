#include "analyze/views/spans/export.h"

#include <algorithm>
#include <stdexcept>

#include "analyze/names/lookups.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/spans/otlp.h"
#include "analyze/report/words/escape.h"
#include "analyze/spans/facts.h"
#include "analyze/spans/old_names.h"
#include "analyze/spans/spans.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kBatch = 10'000;  // spans that are made before they become text

spans::AllEnds ends_of(const pipeline::Analysis& analysis) {
  spans::AllEnds out;
  const auto text = [&](model::TextId id) {
    const std::string_view known = analysis.table.texts[id];
    return known == "unknown" ? std::string_view{} : known;
  };
  for (const auto& e : analysis.endpoints) out.push_back({text(e.local), text(e.remote), e.socket, e.net_namespace});
  return out;
}

// What one reading of the capture after the analysis gives.
template <class Each>
void read_again(const std::string& path, Each each) {
  pipeline::Replay(path).each(each);
}

std::uint64_t handshakes_of(const model::Study& study) {
  std::uint64_t n = 0;
  for (const auto& peer : study.tls) n += peer.done + peer.failed;
  return n;
}

// By row; empty: there is no such request.
std::vector<bool> chosen_rows(const SpanChoice& choice, const pipeline::Analysis& analysis,
                              const spans::Identities& ids) {
  const model::RequestTable& table = analysis.table;
  if (choice.id) {
    const std::uint32_t row = ids.row_of(*choice.id);
    return row == spans::Identity::kNone ? std::vector<bool>() : spans::joined_to(table, ids, row);
  }
  std::vector<bool> out(table.rows.size(), true);
  const pipeline::Wanted wanted(choice.requests, analysis);
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) out[i] = wanted(table, i);
  return out;
}

}  // namespace

SpanExport export_spans(const std::string& file, SpanChoice& choice, const SpanSink& sink) {
  SpanExport out;
  pipeline::Options options;
  options.routes = choice.requests.routes;
  options.study = false;
  options.partition = true;
  options.keep_trace_states = true;
  options.all_courses = choice.waits;
  const pipeline::Analysis analysis = pipeline::analyze(file, options);
  out.damaged = analysis.damaged;
  out.wrong = analysis.wrong;
  const auto& quality = analysis.study.quality;
  if (!quality.clock.known())
    throw std::runtime_error(report::printable(file) +
                             " holds no reading of the wall clock, so that its spans would have no times.");
  const spans::AllEnds ends = ends_of(analysis);
  const spans::Identities ids = spans::identities_of(analysis.table, choice.imported.spans);
  const std::vector<bool> wanted = chosen_rows(choice, analysis, ids);
  if (choice.id && wanted.empty()) {
    out.nothing = SpanExport::Nothing::no_such_request;
    return out;
  }
  if (!wanted.empty() && std::find(wanted.begin(), wanted.end(), true) == wanted.end()) {
    out.nothing = SpanExport::Nothing::none_matches;
    return out;
  }

  spans::Carriers carriers(analysis.table, ends);
  spans::Resources resources;
  read_again(file, [&](const formats::Event& event) {
    carriers.push(event);
    resources.push(event);
  });
  carriers.settle();
  spans::Enrichment enrichment(analysis.table, ends, carriers);
  names::Lookups lookups;
  read_again(file, [&](const formats::Event& event) {
    for (const model::Lookup& lookup : lookups.push(event)) enrichment.push(lookup);
    enrichment.push(event);
  });
  enrichment.settle(handshakes_of(analysis.study));

  const spans::Source source{analysis.table,        ends,
                             analysis.trace_states, quality.clock,
                             quality.clock_error,   quality.preamble,
                             quality.file.first,    quality.file.last,
                             choice.phases,         choice.requests.routes,
                             choice.waits,          analysis.courses};
  spans::SpanMaker maker(source, ids, enrichment, resources);
  const auto flush = [&] {
    std::vector<model::SpanResource> made = maker.take();
    for (model::SpanResource& resource : made) {
      if (choice.old_names) std::for_each(resource.spans.begin(), resource.spans.end(), spans::use_old_names);
      choice.rules.apply(resource);
    }
    if (!choice.facts_only) sink(made);
  };
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) maker.add(i);
    if (maker.size() >= kBatch) flush();
  }
  flush();
  out.facts = spans::facts_of(maker.counts(), ids, wanted, enrichment, choice.imported);
  return out;
}

SpanExport export_otlp(const std::string& file, SpanChoice choice, std::string_view version, std::string& otlp) {
  report::OtlpText text(otlp, choice.imported.resource_spans, version);
  SpanExport out = export_spans(file, choice, [&](std::vector<model::SpanResource>& made) { text.add(made); });
  text.end();
  return out;
}

}  // namespace tailcap::views
