// tailcap topology: who calls whom, how often, how fast.
#include <cstdio>

#include "analyze/commands/command.h"
#include "analyze/commands/file_arguments.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/topology.h"
#include "analyze/tail/topology.h"

namespace tailcap::commands {
namespace {

constexpr const char* kHelp = R"(tailcap topology shows who calls whom: the processes that were recorded, whom they call and who calls them, with rates, errors
and latencies.

usage: tailcap topology FILE [OPTION...]

      --mermaid    a Mermaid flowchart, for Markdown
      --dot        a graph for Graphviz: tailcap topology slow.tcap --dot | dot -Tsvg > calls.svg
      --json       as JSON
  -h, --help       this

A percentile that the data does not support is refused in the text, null in JSON, and left out of the pictures.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap topology slow.tcap
  tailcap topology slow.tcap --mermaid
)";

}  // namespace

int run_topology(int argc, char** argv) {
  bool mermaid = false, dot = false, as_json = false;
  const auto arguments = parse_file_arguments(argc, argv, kHelp, {"no file given"},
                                              {{"mermaid", mermaid}, {"dot", dot}, {"json", as_json}});
  if (arguments.exit) return *arguments.exit;
  if (mermaid + dot + as_json > 1)
    return wrong_usage(argv[0], "--mermaid, --dot and --json all want the standard output; choose one");
  pipeline::Options settings;
  settings.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(arguments.words[0], settings);
  std::vector<tail::Ends> ends;
  for (const auto& e : analysis.endpoints) ends.push_back({analysis.table.texts[e.local], analysis.table.texts[e.remote]});
  const flow::Topology topology = tail::topology(analysis.table, ends, analysis.study);
  const std::string out = mermaid ? report::mermaid_topology(topology) : dot ? report::dot_topology(topology)
                        : as_json ? report::json_topology(topology) : report::text_topology(topology);
  std::fputs(out.c_str(), stdout);
  return analysis.damaged ? 3 : 0;
}

}  // namespace tailcap::commands
