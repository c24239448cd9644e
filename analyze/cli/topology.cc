// tailcap topology: who calls whom, how often, how fast.
#include "analyze/report/topology.h"

#include <cstdio>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/query/literal.h"
#include "analyze/report/escape.h"
#include "analyze/report/number.h"
#include "analyze/tail/topology.h"

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap topology shows who calls whom: the processes that were recorded, whom they call and who calls them, with rates, errors
and latencies.

usage: tailcap topology FILE [OPTION...]

      --window T   by time: one topology for each 1h, 10m, 30s … of the wall clock
      --svg OUT    also draw it into this file (as `tailcap report --html` does in its page)
      --mermaid    a Mermaid flowchart, for Markdown
      --dot        a graph for Graphviz: tailcap topology slow.tcap --dot | dot -Tsvg > calls.svg
      --json       as JSON
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help       this

A percentile that the data does not support is refused in the text, null in JSON, and left out of the pictures. Calls are
marked as failing where at least one in a hundred failed at the server (5xx) or broke off.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap topology slow.tcap
  tailcap topology slow.tcap --svg calls.svg
  tailcap topology day.tcap --window 1h --mermaid
)";

struct Arguments {
  std::string file;
  std::string window, svg;
  bool mermaid = false, dot = false, json = false;
};

std::string title_of(const flow::Topology& t, const flow::Study& study) {
  if (!formats::known(t.begin)) return "Who calls whom, requests whose start is not known";
  const auto& clock = study.quality.clock;
  if (clock.known())
    return "Who calls whom, " + report::utc_text(clock.realtime(t.begin)) + " to " +
           report::utc_text(clock.realtime(t.end));
  return "Who calls whom, " + report::offset_text(t.begin, study.begin) + " to " +
         report::offset_text(t.end, study.begin);
}

int run(const Arguments& a, std::int64_t window) {
  pipeline::Options settings;
  settings.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(a.file, settings);
  std::vector<tail::Ends> ends;
  for (const auto& e : analysis.endpoints)
    ends.push_back({analysis.table.texts[e.local], analysis.table.texts[e.remote]});
  std::string out;
  if (window > 0) {
    const auto all = tail::topologies(analysis.table, ends, analysis.study, formats::Duration{window});
    if (a.json)
      out = report::json_topologies(all, analysis.study.quality.clock);
    else if (all.empty())
      out = report::text_topology({});
    for (const flow::Topology& t : all) {
      if (a.json) break;
      if (&t != &all.front()) out += "\n";
      const std::string title = title_of(t, analysis.study);
      out += a.mermaid ? "%% " + title + "\n" + report::mermaid_topology(t)
             : a.dot   ? "// " + title + "\n" + report::dot_topology(t)
                       : report::text_topology(t, title);
    }
  } else {
    const flow::Topology t = tail::topology(analysis.table, ends, analysis.study);
    out = a.mermaid ? report::mermaid_topology(t)
          : a.dot   ? report::dot_topology(t)
          : a.json  ? report::json_topology(t)
                    : report::text_topology(t);
    if (!a.svg.empty()) write_file(a.svg, report::svg_topology(t), a.file);
  }
  if (a.svg != "-") std::fputs(out.c_str(), stdout);
  return analysis.damaged ? 3 : 0;
}

}  // namespace

int run_topology(int argc, char** argv) {
  Arguments a;
  FileArguments arguments = parse_file_arguments(
      argc, argv, kHelp, {"no file given"},
      {{"window", a.window}, {"svg", a.svg}, {"mermaid", a.mermaid}, {"dot", a.dot}, {"json", a.json}});
  if (arguments.exit) return *arguments.exit;
  a.file = std::move(arguments.words[0]);
  if (a.mermaid + a.dot + a.json > 1)
    return wrong_usage(argv[0], "--mermaid, --dot and --json all want the standard output; choose one");
  std::int64_t window = 0;
  if (!a.window.empty()) {
    const auto length = query::parse_duration(a.window);
    if (!length || *length <= 0)
      return wrong_usage(argv[0], "--window is a time like 1h, 10m or 30s, not '" + report::printable(a.window) + "'");
    if (!a.svg.empty()) return wrong_usage(argv[0], "--svg draws one picture of all; leave --window out");
    window = *length;
  }
  return run(a, window);
}

}  // namespace tailcap::cli
