// tailcap timeline: what threads, goroutines, connections and collectors did in a window of time, as a picture.
#include <cstdio>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/pipeline/lanes.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/escape.h"
#include "analyze/report/lanes_svg.h"

namespace tailcap::cli {
namespace {

constexpr const char* kHelp =
    R"(tailcap timeline draws what went on in a window of time: a lane for each connection, goroutine and thread, and for
Go's collector. `tailcap show FILE ID --html OUT` has the lanes around one request.

usage: tailcap timeline FILE -o OUT.svg [OPTION...]

      --from T, --to T   since the start of the recording (10s, 1500ms, 2m) or UTC (2026-03-01T12:34:56Z)
  -p, --pid PID          of this process only; may be repeated
  -o, --output OUT       an SVG that needs nothing else; - is the standard output
      --json             the same as JSON, on standard output unless -o says otherwise
      --max-memory SIZE, --max-requests N   when to stop reading a capture: `tailcap --help`
  -h, --help             this

Green is on a CPU (goroutines: running), orange ready but waiting for one; what is waited for is thinner. Point at a
stretch for what it is and how long. White is not known. Threads and goroutines that waited all the time have no lane.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap timeline slow.tcap --from 2.9s --to 3.2s -o stall.svg
  tailcap timeline slow.tcap --from 2.9s --to 3.2s --pid 4711 -o stall.svg
)";

int run(const std::string& file, const std::string& output, bool as_json, const Selection& selection,
        std::vector<std::uint32_t> pids) {
  pipeline::Options options = options_of(selection);
  options.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(file, options);
  const formats::Time from = analysis.study.begin, to = analysis.study.end;
  if (!formats::known(from) || from >= to) {
    complain("timeline",
             report::printable(file) + " holds nothing in that time. `tailcap info` says when it was recorded.");
    return 1;
  }
  const flow::Lanes lanes = pipeline::lanes_of(file, from, to, std::move(pids));
  if (lanes.lanes.empty()) {
    complain("timeline", "nothing was seen of those processes in that time. `tailcap info` lists processes.");
    return 1;
  }
  report::LanesPicture how;
  how.zero = selection.from.empty()
                 ? from
                 : from - formats::Duration{options.from && !options.from->absolute ? options.from->nanoseconds : 0};
  write_file(output.empty() ? "-" : output,
             as_json ? report::lanes_json(lanes, how.zero) : report::lanes_svg(lanes, how), file);
  if (const std::string notes = report::lanes_notes(lanes); !notes.empty()) complain("timeline", notes);
  return exit_code(analysis.damaged, analysis.wrong, "timeline");
}

}  // namespace

int run_timeline(int argc, char** argv) {
  std::vector<std::uint32_t> pids;
  std::string output;
  Selection selection;
  bool as_json = false;
  const FileArguments arguments = parse_file_arguments(
      argc, argv, kHelp, {"no file given"},
      {{"output,o", output}, {"from", selection.from}, {"to", selection.to}, {"pid,p", pids}, {"json", as_json}});
  if (arguments.exit) return *arguments.exit;
  if (output.empty() && !as_json) return wrong_usage(argv[0], "no output given: -o OUT.svg, or --json");
  try {
    return run(arguments.words[0], output, as_json, selection, std::move(pids));
  } catch (const UsageError& e) {
    return wrong_usage(argv[0], e.what());
  }
}

}  // namespace tailcap::cli
