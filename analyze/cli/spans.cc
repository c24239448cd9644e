// tailcap spans: requests as OpenTelemetry's spans, which complete those of SDKs.
#include "analyze/spans/spans.h"

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/names/lookups.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/report/otlp.h"
#include "analyze/report/spans_text.h"
#include "analyze/spans/facts.h"
#include "analyze/spans/imported.h"
#include "analyze/spans/old_names.h"
#include "analyze/spans/rules.h"
#include "formats/reader.h"

namespace tailcap::cli {
namespace {

constexpr const char* kAbout =
    "tailcap spans writes requests as OpenTelemetry spans: OTLP in JSON, as the Collector's file exporter writes it "
    "and its "
    "otlpjsonfile receiver, Jaeger and others read it. With ID: of this request, what made it, what it made, and both "
    "ends "
    "of each.";

constexpr const char* kNotes =
    R"(Ids are those on the wire. A server's own span is on none: where it has no id, or a request has no trace, it is made
up of the capture's id and the request's number, the same every time, and tailcap.span_id_source and
tailcap.trace_id_source say synthetic. Parents are named by headers, or found (tailcap.parent.how), marked where that
is only likely. What was inferred is marked tailcap.inferred and has its evidence. Durations are exact; wall-clock
times are within tailcap.clock.error_ns.

examples:
  tailcap spans slow.tcap -o spans.json
  tailcap spans slow.tcap 12.3 --rules shop.rules
  tailcap spans slow.tcap -w 'duration > 100ms' --import sdk.json -o completed.json
  tailcap spans slow.tcap --explain
)";

constexpr Definition kImport{
    "import", 0, "SPANS",
    "OTLP in JSON of an SDK (one object, or one per line): written again as it is, and completed. "
    "A request whose traceparent names an imported span stands below it, with the name lookup, "
    "connect and TLS handshake before it; a span that is missing is filled in where a request "
    "has its id",
    0};
constexpr Definition kRules{
    "rules", 0, "RULES",
    "changes attributes of resources; a line is insert KEY = VALUE, set KEY = VALUE, copy KEY from "
    "KEY or delete KEY, perhaps with where KEY = VALUE behind it, and with span in front for those "
    "of spans",
    0};
constexpr Definition kNames{"names", 0, "",
                            "attributes by the names they have since the conventions for HTTP are stable, or before: "
                            "http.method, …",
                            0};
constexpr Definition kExplain{
    "explain", 0, nullptr,
    "not the spans, but where they are from: ids, parents, which events were attached to spans "
    "and how many fitted none; text, or JSON with --json",
    0};

constexpr std::size_t kBatch = 10'000;  // spans that are made before they become text

struct Arguments {
  std::string file, id, import, rules, names = "stable", format, output;
  Selection selection;
  bool explain = false;
};

std::string content_of(const std::string& path, std::size_t most) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::system_error(errno, std::generic_category(), "cannot read " + report::printable(path));
  std::string out;
  char buffer[1 << 16];
  while (in.read(buffer, sizeof buffer), in.gcount() > 0) {
    out.append(buffer, static_cast<std::size_t>(in.gcount()));
    if (out.size() > most)
      throw std::runtime_error("cannot read " + report::printable(path) + ": it has more than " +
                               std::to_string(most >> 20) + " MiB.");
  }
  if (in.bad()) throw std::system_error(errno, std::generic_category(), "cannot read " + report::printable(path));
  return out;
}

spans::AllEnds ends_of(const pipeline::Analysis& analysis) {
  spans::AllEnds out;
  const auto text = [&](flow::TextId id) {
    const std::string_view known = analysis.table.texts[id];
    return known == "unknown" ? std::string_view{} : known;
  };
  for (const auto& e : analysis.endpoints) out.push_back({text(e.local), text(e.remote), e.socket, e.net_namespace});
  return out;
}

// What one reading of the capture after the analysis gives.
template <class Each>
void read_again(const std::string& path, Each each) {
  formats::Reader reader(path);
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const formats::Event& event : events) each(event);
}

std::uint64_t handshakes_of(const flow::Study& study) {
  std::uint64_t n = 0;
  for (const auto& peer : study.tls) n += peer.done + peer.failed;
  return n;
}

class NoSuchRequest : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

std::vector<bool> wanted_of(const Arguments& a, const pipeline::Options& selected, const pipeline::Analysis& analysis,
                            const spans::Identities& ids) {
  const flow::RequestTable& table = analysis.table;
  if (!a.id.empty()) {
    const std::uint32_t row = ids.row_of(*parse_id(a.id));
    if (row == spans::Identity::kNone)
      throw NoSuchRequest(report::printable(a.file) + " holds no request " + report::printable(a.id) +
                          ". `tailcap requests " + report::printable(a.file) + "` lists those that there are.");
    return spans::joined_to(table, ids, row);
  }
  std::vector<bool> out(table.rows.size(), true);
  const pipeline::Wanted wanted(selected, analysis.study);
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) out[i] = wanted(table, i);
  return out;
}

int run(const Arguments& a) {
  const spans::AttributeRules rules =
      a.rules.empty() ? spans::AttributeRules() : spans::AttributeRules(content_of(a.rules, 1u << 20), a.rules);
  spans::Imported imported;
  if (!a.import.empty()) imported = spans::imported_of(content_of(a.import, spans::Imported::kMaxBytes), a.import);
  const pipeline::Options selected = options_of(a.selection);

  pipeline::Options options;
  options.routes = selected.routes;
  options.study = false, options.partition = true, options.keep_trace_states = true;
  const pipeline::Analysis analysis = pipeline::analyze(a.file, options);
  const auto& quality = analysis.study.quality;
  if (!quality.clock.known())
    throw std::runtime_error(report::printable(a.file) +
                             " holds no reading of the wall clock, so that its spans would have no times.");
  const spans::AllEnds ends = ends_of(analysis);
  const spans::Identities ids = spans::identities_of(analysis.table, imported.spans);
  const std::vector<bool> wanted = wanted_of(a, selected, analysis, ids);
  if (!analysis.table.rows.empty() && std::find(wanted.begin(), wanted.end(), true) == wanted.end())
    return nothing_matches("spans", "request");

  spans::Carriers carriers(analysis.table, ends);
  spans::Resources resources;
  read_again(a.file, [&](const formats::Event& event) { carriers.push(event), resources.push(event); });
  carriers.settle();
  spans::Enrichment enrichment(analysis.table, ends, carriers);
  names::Lookups lookups;
  read_again(a.file, [&](const formats::Event& event) {
    for (const flow::Lookup& lookup : lookups.push(event)) enrichment.push(lookup);
    enrichment.push(event);
  });
  enrichment.settle(handshakes_of(analysis.study));

  const spans::Source source{analysis.table,        ends,
                             analysis.trace_states, quality.clock,
                             quality.clock_error,   quality.preamble,
                             quality.file.first,    quality.file.last};
  spans::SpanMaker maker(source, ids, enrichment, resources);
  std::string text;
  report::OtlpText otlp(text, imported.resource_spans, TAILCAP_VERSION);
  const auto flush = [&] {
    std::vector<flow::SpanResource> made = maker.take();
    for (flow::SpanResource& resource : made) {
      if (a.names == "old") std::for_each(resource.spans.begin(), resource.spans.end(), spans::use_old_names);
      rules.apply(resource);
    }
    if (!a.explain) otlp.add(made);
  };
  for (std::uint32_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i]) maker.add(i);
    if (maker.size() >= kBatch) flush();
  }
  flush();
  otlp.end();
  const flow::SpanFacts facts = spans::facts_of(maker.counts(), ids, wanted, enrichment, imported);
  if (a.explain) {
    write_file(a.output, a.format == "json" ? report::spans_facts_json(facts) : report::spans_facts_text(facts),
               a.file);
  } else {
    write_file(a.output, text, a.file);
    complain("spans", report::spans_facts_line(facts));
  }
  return exit_code(analysis, "spans");
}

}  // namespace

int run_spans(int argc, char** argv) {
  Arguments a;
  CommandLine line("spans", kAbout);
  line.word("FILE", a.file, "no file given");
  line.word("ID", a.id, nullptr);
  add_selection(line, a.selection);
  line.group("In which form?");
  line.option(kImport, &a.import);
  line.option(kRules, &a.rules);
  line.choice(kNames, a.names, {"stable", "old"});
  line.option(kExplain, &a.explain);
  line.format(a.format, {"text", "json"}, &a.output, "of --explain; spans are JSON");
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!a.id.empty() && !parse_id(a.id))
    throw UsageError("'" + report::printable(a.id) +
                     "' is no request: they are called like 12.3, the third on connection 12");
  if (!a.id.empty() && !a.selection.empty())
    throw UsageError("an ID and options like --where both say which requests are meant; choose one");
  if (!a.explain && a.format == "text" && line.given(option::kFormat))
    throw UsageError("--format text goes with --explain; spans are JSON");
  return run(a);
}

}  // namespace tailcap::cli
