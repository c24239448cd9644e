// tailcap topology: which program calls which, how often, how fast.
#include "analyze/report/topology/topology.h"

#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/query/audit/services_file.h"
#include "analyze/report/words/number.h"
#include "analyze/views/topology/topology.h"

namespace tailcap::cli::topology_command {
namespace {

constexpr const char* kAbout =
    "tailcap topology shows which service calls which: the processes that were recorded, what they call and what calls "
    "them, with rates, errors and latencies.";

constexpr const char* kNotes =
    R"(A percentile that the data does not support is refused in the text, null in JSON, and left out of the pictures. Calls
are marked as failing where at least one in a hundred failed at the server (5xx) or broke off.

examples:
  tailcap topology slow.tcap
  tailcap topology slow.tcap -o calls.svg
  tailcap topology slow.tcap --format dot | dot -Tpng > calls.png
  tailcap topology day.tcap --window 1h --format mermaid
  kubectl get services -A -o yaml > services.yaml && tailcap topology slow.tcap --services services.yaml
)";

constexpr Definition kServices{
    "services", 0, "FILE", "name addresses by the Services in FILE, as `kubectl get services -A -o yaml` prints them",
    0};

struct Arguments {
  std::string file, format, output, services;
  Selection selection;
  formats::Duration window{};
};

std::string title_of(const model::Topology& t, const model::Study& study) {
  if (!formats::known(t.begin)) return "Calls between services, requests whose start is not known";
  const auto& clock = study.quality.clock;
  if (clock.known())
    return "Calls between services, " + report::utc_text(clock.realtime(t.begin)) + " to " +
           report::utc_text(clock.realtime(t.end));
  return "Calls between services, " + report::offset_text(t.begin, study.begin) + " to " +
         report::offset_text(t.end, study.begin);
}

std::string text_of(const Arguments& a, const model::Topology& t, const std::string& title) {
  const std::string& f = a.format;
  const std::string comment = title.empty() ? "" : (f == "mermaid" ? "%% " : "// ") + title + "\n";
  if (f == "mermaid") return comment + report::mermaid_topology(t);
  if (f == "dot") return comment + report::dot_topology(t);
  if (f == "svg") return report::svg_topology(t);
  if (f == "json") return report::json_topology(t);
  return title.empty() ? report::text_topology(t) : report::text_topology(t, title);
}

int run(const Arguments& a) {
  pipeline::Options settings = options_of(a.selection);
  settings.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(a.file, settings);
  if (analysis.table.rows.empty() && !a.selection.empty()) return nothing_matches("topology", "request");
  model::ServiceNames services;
  const auto read = [&](const std::string& text) { services = query::services_of(text); };
  if (!a.services.empty() && !read_yaml_file("topology", a.services, read)) return kBadUsage;
  std::string out;
  if (a.window.count() > 0) {
    auto all = views::topologies_of(analysis, a.window);
    for (model::Topology& t : all) views::name_addresses(t, services);
    if (a.format == "json")
      out = report::json_topologies(all, analysis.study.quality.clock);
    else if (all.empty())
      out = report::text_topology({});
    else
      for (const model::Topology& t : all)
        out += (out.empty() ? "" : "\n") + text_of(a, t, title_of(t, analysis.study));
  } else {
    model::Topology whole = views::topology_of(analysis);
    views::name_addresses(whole, services);
    out = text_of(a, whole, "");
  }
  write_file(a.output, out, a.file);
  return exit_code(analysis, "topology");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("topology", kAbout);
  line.capture(a.file);
  add_selection(line, a.selection);
  line.option(option::kWindow, &a.window,
              "print one topology for each window of T (1h, 10m, 30s, …) of the wall clock; not as a picture");
  line.option(kServices, &a.services);
  line.group("In which form?");
  line.format(a.format, {"text", "svg", "mermaid", "dot", "json"}, &a.output,
              "svg: a picture, as in the page of `tailcap report`; mermaid: a flowchart for Markdown; dot: a graph for "
              "Graphviz");
  line.schema(report::topology_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (line.given(option::kWindow) && a.window.count() == 0) throw UsageError("--window must be longer than 0");
  if (line.given(option::kWindow) && a.format == "svg")
    throw UsageError("a picture shows all of the time; leave --window out");
  return run(a);
}

}  // namespace tailcap::cli::topology_command
