// tailcap tree: a request and everything it caused.
#include <cstdio>
#include <filesystem>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/request_id.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/call_tree.h"

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap tree shows a request with everything it caused on the machine that was recorded: the calls made for it, who served
them, and what those called in turn; when, how long, which attempt, and how sure each link is.

usage: tailcap tree FILE ID [OPTION...]

ID is what `tailcap report` and `tailcap requests` print: connection and number on it, like 12.3.

      --json       as JSON: nested, times in nanoseconds from the start of the request
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help       this

A call belongs to a request of its process for certain where both carry the same trace id, or where one thread read the
request, made the call, waited for it and answered, and did nothing else meanwhile. In an event loop the link is likely
at best, and marked. A call that could be of several requests is in no tree, and counted.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap tree slow.tcap 12.3
  tailcap tree slow.tcap 12.3 --json
)";

int run(const std::string& file, const std::string& name, bool as_json) {
  const auto id = parse_id(name);
  pipeline::Options options;
  options.study = false;
  // A missing or broken file is the first thing to say, whatever the id looks like.
  const pipeline::Analysis analysis = pipeline::analyze(file, options);
  if (!id) return no_id("tree", file, name);
  const auto tree = report::call_tree(analysis.table, *id);
  if (!tree) return no_request("tree", file, name);
  const std::string shown = std::filesystem::path(file).filename().string();
  std::fputs(
      (as_json ? report::json_tree(*tree, analysis.table) : report::text_tree(*tree, analysis.table, shown)).c_str(),
      stdout);
  return analysis.damaged ? 3 : 0;
}

}  // namespace

int run_tree(int argc, char** argv) {
  bool as_json = false;
  const auto arguments =
      parse_file_arguments(argc, argv, kHelp, {"no file given", "no request given, like 12.3"}, {{"json", as_json}});
  if (arguments.exit) return *arguments.exit;
  return run(arguments.words[0], arguments.words[1], as_json);
}

}  // namespace tailcap::cli
