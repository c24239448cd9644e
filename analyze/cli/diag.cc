// tailcap diag: what ails a machine, beside its requests.
#include "analyze/report/diag.h"

#include <cstdio>
#include <filesystem>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/node/node.h"
#include "formats/reader.h"

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap diag says what ails a machine that lists of processes do not show: processes that come and go within a second,
shortage of memory (kills, reclaim, compaction, fragmentation), TCP that fails (connects, resets, retransmissions),
disks that are slow. What it finds comes first, in a sentence each. What was not recorded is named: it is not "none".

usage: tailcap diag FILE [--json]

FILE is best recorded with `tailcap record --profile node`: the whole machine. Other captures hold some of it,
of the processes that were recorded.

      --json   one JSON object; what was not recorded is null. docs/diag.schema.json is its schema
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help   this

Exit code 3: done, but events were lost or the capture is damaged or cut short: counts are least ones.

examples:
  tailcap record --profile node -d 60s -o node.tcap
  tailcap diag node.tcap
  tailcap diag node.tcap --json | jq '.findings[].text'
)";

constexpr std::size_t kWidth = 120;

}  // namespace

int run_diag(int argc, char** argv) {
  bool as_json = false;
  const FileArguments arguments = parse_file_arguments(argc, argv, kHelp, {"no file given"}, {{"json", as_json}});
  if (arguments.exit) return *arguments.exit;
  const std::string& file = arguments.words[0];
  formats::Reader reader(file, {});
  node::Node node(reader.preamble());
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const formats::Event& event : events) node.push(event);
  const flow::NodeStudy study = node.study();
  std::fputs((as_json ? report::diag_json(study)
                      : report::diag_text(study, std::filesystem::path(file).filename().string(), kWidth))
                 .c_str(),
             stdout);
  return study.damaged ? 3 : 0;
}

}  // namespace tailcap::cli
