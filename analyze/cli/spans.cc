// tailcap spans: requests as OpenTelemetry's spans, which complete those of SDKs.
#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <utility>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/named_request.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/report/spans/spans_text.h"
#include "analyze/report/words/escape.h"
#include "analyze/spans/imported.h"
#include "analyze/spans/rules.h"
#include "analyze/views/spans/export.h"

namespace tailcap::cli::spans_command {
namespace {

constexpr const char* kAbout =
    "tailcap spans writes requests as OpenTelemetry spans: OTLP in JSON, as the Collector's file exporter writes it "
    "and its otlpjsonfile receiver reads it. With ID: of this request, what made it, what it made, and both ends of "
    "each.";

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
    "read an SDK's spans (OTLP in JSON: one object, or one per line), write them again as they are, and complete them. "
    "A request whose traceparent names an imported span is put below it, with the name lookup, connect and TLS "
    "handshake before it; a span that is missing is filled in where a request has its id",
    0};
constexpr Definition kRules{
    "rules", 0, "RULES",
    "change attributes of resources. A line is insert KEY = VALUE, set KEY = VALUE, copy KEY from KEY or delete KEY, "
    "optionally followed by where KEY = VALUE; with span in front it changes attributes of spans",
    0};
constexpr Definition kNames{
    "names", 0, "", "names of attributes: stable (the current conventions for HTTP) or old (http.method, …)", 0};

struct Arguments {
  std::string file, id, import, rules, names = "stable", spans = "requests", format, output;
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

int run(const Arguments& a) {
  views::SpanChoice choice;
  if (!a.id.empty()) choice.id = request_named(a.file, a.id);
  choice.requests = options_of(a.selection);
  if (!a.rules.empty()) choice.rules = spans::AttributeRules(content_of(a.rules, 1u << 20), a.rules);
  if (!a.import.empty())
    choice.imported = spans::imported_of(content_of(a.import, spans::Imported::kMaxBytes), a.import);
  choice.old_names = a.names == "old";
  choice.waits = a.spans == "labels";
  choice.facts_only = a.explain;
  std::string otlp;
  const views::SpanExport made = views::export_otlp(a.file, std::move(choice), TAILCAP_VERSION, otlp);
  if (made.nothing == views::SpanExport::Nothing::no_such_request) return no_request("spans", a.file, a.id);
  if (made.nothing == views::SpanExport::Nothing::none_matches) return nothing_matches("spans", "request");
  if (a.explain) {
    write_file(a.output,
               a.format == "json" ? report::spans_facts_json(made.facts) : report::spans_facts_text(made.facts),
               a.file);
  } else {
    write_file(a.output, otlp, a.file);
    complain("spans", report::spans_facts_line(made.facts));
  }
  return exit_code(made.damaged, made.wrong, "spans");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("spans", kAbout);
  line.capture(a.file);
  line.word("ID", a.id, nullptr);
  add_selection(line, a.selection);
  line.group("In which form?");
  line.option(kImport, &a.import);
  line.option(kRules, &a.rules);
  line.choice(option::kSpans, a.spans, {"requests", "labels"});
  line.choice(kNames, a.names, {"stable", "old"});
  line.option(option::kExplain, &a.explain);
  line.format(a.format, {"text", "json"}, &a.output, "of --explain; spans are JSON");
  line.schema(report::spans_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!a.id.empty() && !names_request(a.id))
    throw UsageError("'" + report::printable(a.id) +
                     "' is no request: they are called like 12.3, the third on connection 12, slowest or @1");
  if (!a.id.empty() && !a.selection.empty())
    throw UsageError("an ID and options like --where both say which requests are meant; choose one");
  if (!a.explain && a.format == "text" && line.given(option::kFormat))
    throw UsageError("--format text goes with --explain; spans are JSON");
  return run(a);
}

}  // namespace tailcap::cli::spans_command
