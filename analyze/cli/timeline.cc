// tailcap timeline: what threads, goroutines, connections and collectors did in a window of time, as a picture.
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/event_window.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/pipeline/lanes.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/timeline/lanes_svg.h"
#include "analyze/report/words/escape.h"

namespace tailcap::cli::timeline_command {
namespace {

constexpr const char* kAbout =
    "tailcap timeline draws what went on in a window of time: a lane for each connection, goroutine and thread, and "
    "for Go's collector. `tailcap show FILE ID -o OUT.html` has the lanes around one request.";

constexpr const char* kNotes =
    R"(Green is on a CPU (goroutines: running), orange ready but waiting for one; what is waited for is thinner. Point at an
interval for what it is and how long. White is not known. Threads and goroutines that waited all the time have no
lane.

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
    return kNoAnswer;
  }
  const model::Lanes lanes = pipeline::lanes_of(file, from, to, std::move(pids));
  if (lanes.lanes.empty()) {
    complain("timeline", "nothing was seen of those processes in that time. `tailcap info` lists processes.");
    return kNoAnswer;
  }
  report::LanesPicture how;
  how.zero = selection.from.empty()
                 ? from
                 : from - formats::Duration{options.from && !options.from->absolute ? options.from->nanoseconds : 0};
  write_file(output, as_json ? report::lanes_json(lanes, how.zero) : report::lanes_svg(lanes, how), file);
  if (const std::string notes = report::lanes_notes(lanes); !notes.empty()) complain("timeline", notes);
  return exit_code(analysis.damaged, analysis.wrong, "timeline");
}

}  // namespace

int run(int argc, char** argv) {
  std::vector<std::uint32_t> pids;
  std::string file, format, output;
  Selection selection;
  CommandLine line("timeline", kAbout);
  line.capture(file);
  line.group("Which time?");
  add_times(line, selection.from, selection.to, selection.around);
  line.option(option::kPid, &pids);
  line.group("In which form?");
  line.format(format, {"svg", "json"}, &output, "svg: a picture that needs nothing else");
  line.schema(report::lanes_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (output.empty() && !line.given(option::kFormat) && !line.given(option::kJson))
    throw UsageError("no output given: -o OUT.svg, or --json");
  return run(file, output, format == "json", selection, std::move(pids));
}

}  // namespace tailcap::cli::timeline_command
