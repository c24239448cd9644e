// tailcap topology: who calls whom, how often, how fast.
#include <boost/program_options.hpp>
#include <cstdio>

#include "analyze/commands/command.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/topology.h"
#include "analyze/tail/topology.h"

namespace po = boost::program_options;

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
  std::vector<std::string> words;
  bool mermaid = false, dot = false, as_json = false;
  const auto wrong = [](const std::string& why) {
    std::fprintf(stderr, "tailcap topology: %s. `tailcap topology --help` shows what it takes.\n", why.c_str());
    return 2;
  };
  po::options_description options;
  auto add = options.add_options();
  add("help,h", "");
  add("word", po::value(&words));
  add("mermaid", po::bool_switch(&mermaid));
  add("dot", po::bool_switch(&dot));
  add("json", po::bool_switch(&as_json));
  po::positional_options_description positional;
  positional.add("word", -1);
  try {
    using namespace po::command_line_style;
    po::variables_map values;
    const int style = unix_style & ~allow_guessing;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).style(style).run(), values);
    if (values.count("help") > 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    po::notify(values);
  } catch (const po::error& e) {
    return wrong(e.what());
  }
  if (words.empty()) return wrong("no file given");
  if (words.size() > 1) return wrong("unexpected argument '" + words[1] + "'");
  if (mermaid + dot + as_json > 1) return wrong("--mermaid, --dot and --json all want the standard output; choose one");
  pipeline::Options settings;
  settings.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(words[0], settings);
  std::vector<tail::Ends> ends;
  for (const auto& e : analysis.endpoints) ends.push_back({analysis.table.texts[e.local], analysis.table.texts[e.remote]});
  const flow::Topology topology = tail::topology(analysis.table, ends, analysis.study);
  const std::string out = mermaid ? report::mermaid_topology(topology) : dot ? report::dot_topology(topology)
                        : as_json ? report::json_topology(topology) : report::text_topology(topology);
  std::fputs(out.c_str(), stdout);
  return analysis.damaged ? 3 : 0;
}

}  // namespace tailcap::commands
