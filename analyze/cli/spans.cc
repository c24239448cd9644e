// tailcap spans: requests as OpenTelemetry's spans, which completes what SDKs have told.
#include "analyze/spans/spans.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/names/lookups.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/query/filter.h"
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

constexpr const char* kHelp =
    R"(tailcap spans writes requests as OpenTelemetry spans: OTLP in JSON, as the Collector's file exporter writes it and its
otlpjsonfile receiver, Jaeger and others read it.

usage: tailcap spans FILE [ID] [OPTION...]

Which requests?
  ID                     this one, what made it, what it made, and both ends of each; otherwise all
      --where EXPRESSION that match, as `tailcap requests -Y`: 'status == 5xx && duration > 20ms'

In which form?
      --import SPANS     OTLP in JSON of an SDK (one object, or one per line): written again as it is, and completed. A
                         request whose traceparent names an imported span stands below it, with the name lookup, connect
                         and TLS handshake before it; a span that is missing is filled in where a request has its id
      --rules RULES      changes attributes of resources; a line is insert KEY = VALUE, set KEY = VALUE,
                         copy KEY from KEY or delete KEY, perhaps with where KEY = VALUE behind it, and with span in
                         front for those of spans
      --names old        attributes by the names they had before the conventions for HTTP were stable: http.method, …
  -o, --output OUT       a file; otherwise the standard output
      --explain          not the spans, but where they are from: ids, parents, which events were attached to spans and
                         how many fitted none
      --json             with --explain: as JSON
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help             this

Ids are those on the wire. A server's own span is on none: where it has no id, or a request has no trace, it is made up
of the capture's id and the request's number, the same every time, and tailcap.span_id_source and
tailcap.trace_id_source say synthetic. Parents are named by headers, or found (tailcap.parent.how), marked where that
is only likely. What was inferred is marked tailcap.inferred and has its evidence. Durations are exact; wall-clock times
are within tailcap.clock.error_ns.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap spans slow.tcap -o spans.json
  tailcap spans slow.tcap 12.3 --rules shop.rules
  tailcap spans slow.tcap --where 'duration > 100ms' --import sdk.json -o completed.json
  tailcap spans slow.tcap --explain
)";

constexpr std::size_t kBatch = 10'000;  // spans that are made before they become text

struct Arguments {
  std::string file, id, where, import, rules, names, output;
  bool explain = false, json = false;
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

std::vector<bool> wanted_of(const Arguments& a, const flow::RequestTable& table, const spans::Identities& ids) {
  if (!a.id.empty()) {
    const std::uint32_t row = ids.row_of(*parse_id(a.id));
    if (row == spans::Identity::kNone)
      throw NoSuchRequest(report::printable(a.file) + " holds no request " + report::printable(a.id) +
                          ". `tailcap requests " + report::printable(a.file) + "` lists those that there are.");
    return spans::joined_to(table, ids, row);
  }
  std::vector<bool> out(table.rows.size(), true);
  if (a.where.empty()) return out;
  const query::Filter filter(a.where);
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    flow::Request row = table.rows[i];
    row.setup = table.setups.find(row.id), row.cause = table.causes.find(row.id),
    row.handler = table.handlers.find(row.id), row.account = &table.partitions;
    out[i] = filter.matches(row, table.texts);
  }
  return out;
}

int run(const Arguments& a) {
  const spans::AttributeRules rules =
      a.rules.empty() ? spans::AttributeRules() : spans::AttributeRules(content_of(a.rules, 1u << 20), a.rules);
  spans::Imported imported;
  if (!a.import.empty()) imported = spans::imported_of(content_of(a.import, spans::Imported::kMaxBytes), a.import);
  if (!a.where.empty()) query::Filter check(a.where);

  pipeline::Options options;
  options.study = false, options.partition = true, options.keep_trace_states = true;
  const pipeline::Analysis analysis = pipeline::analyze(a.file, options);
  const auto& quality = analysis.study.quality;
  if (!quality.clock.known())
    throw std::runtime_error(report::printable(a.file) +
                             " holds no reading of the wall clock, so that its spans would have no times.");
  const spans::AllEnds ends = ends_of(analysis);
  const spans::Identities ids = spans::identities_of(analysis.table, imported.spans);
  const std::vector<bool> wanted = wanted_of(a, analysis.table, ids);

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
  const std::string output = a.output.empty() ? "-" : a.output;
  if (a.explain)
    write_file(output, a.json ? report::spans_facts_json(facts) : report::spans_facts_text(facts), a.file);
  else
    write_file(output, text, a.file);
  if (!a.explain) complain("spans", report::spans_facts_line(facts));
  return exit_code(analysis, "spans");
}

}  // namespace

int run_spans(int argc, char** argv) {
  Arguments a;
  const FileArguments arguments = parse_file_arguments(argc, argv, kHelp, {"no file given"},
                                                       {{"where", a.where},
                                                        {"import", a.import},
                                                        {"rules", a.rules},
                                                        {"names", a.names},
                                                        {"output,o", a.output},
                                                        {"explain", a.explain},
                                                        {"json", a.json}},
                                                       MoreWords::taken);
  if (arguments.exit) return *arguments.exit;
  a.file = arguments.words[0];
  if (arguments.words.size() > 2)
    return wrong_usage(argv[0], "unexpected argument '" + report::printable(arguments.words[2]) + "'");
  if (arguments.words.size() == 2) a.id = arguments.words[1];
  if (!a.id.empty() && !parse_id(a.id))
    return wrong_usage(argv[0], "'" + report::printable(a.id) +
                                    "' is no request: they are called like 12.3, the third on connection 12");
  if (!a.id.empty() && !a.where.empty())
    return wrong_usage(argv[0], "a request's number and --where both say which requests are meant; choose one");
  if (!a.names.empty() && a.names != "old" && a.names != "stable")
    return wrong_usage(argv[0], "--names is old or stable, not '" + report::printable(a.names) + "'");
  if (a.json && !a.explain) return wrong_usage(argv[0], "--json goes with --explain; spans are JSON anyway");
  try {
    return run(a);
  } catch (const query::FilterError& e) {
    complain("spans", e.what());
    return 2;
  }
}

}  // namespace tailcap::cli
