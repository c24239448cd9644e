// tailcap timeline: what threads, goroutines, connections and collectors did in a window of time, as a picture.
#include <boost/program_options.hpp>
#include <cstdio>
#include <string>
#include <vector>

#include "analyze/commands/command.h"
#include "analyze/commands/exit_code.h"
#include "analyze/commands/file_arguments.h"
#include "analyze/commands/output_file.h"
#include "analyze/commands/selection.h"
#include "analyze/pipeline/lanes.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/escape.h"
#include "analyze/report/lanes_svg.h"

namespace po = boost::program_options;

namespace tailcap::commands {
namespace {

constexpr const char* kHelp = R"(tailcap timeline draws what went on in a window of time: a lane for each connection, goroutine and thread, and for
Go's collector. `tailcap show FILE ID --html OUT` has the lanes around one request.

usage: tailcap timeline FILE -o OUT.svg [OPTION...]

      --from T, --to T   since the start of the recording (10s, 1500ms, 2m) or UTC (2026-03-01T12:34:56Z)
  -p, --pid PID          of this process only; may be repeated
  -o, --output OUT       an SVG that needs nothing else; - is the standard output
      --json             the same as JSON, on standard output unless -o says otherwise
  -h, --help             this

Green is on a CPU (goroutines: running), orange ready but waiting for one; what is waited for is thinner. Point at a
stretch for what it is and how long. White is not known. Threads and goroutines that waited all the time have no lane.

Exit code 3: done, but events were lost or the capture is damaged or cut short.

examples:
  tailcap timeline slow.tcap --from 2.9s --to 3.2s -o stall.svg
  tailcap timeline slow.tcap --from 2.9s --to 3.2s --pid 4711 -o stall.svg
)";

int run(const std::string& file, const std::string& output, bool as_json, const Selection& selection, std::vector<std::uint32_t> pids) {
  pipeline::Options options = options_of(selection);
  options.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(file, options);
  const formats::Time from = analysis.study.begin, to = analysis.study.end;
  if (!formats::known(from) || from >= to) {
    std::fprintf(stderr, "tailcap timeline: %s holds nothing in that time. `tailcap info` says when it was recorded.\n", file.c_str());
    return 1;
  }
  const flow::Lanes lanes = pipeline::lanes_of(file, from, to, std::move(pids));
  if (lanes.lanes.empty()) {
    std::fprintf(stderr, "tailcap timeline: nothing was seen of those processes in that time. `tailcap info` lists processes.\n");
    return 1;
  }
  report::LanesPicture how;
  how.zero = selection.from.empty() ? from : from - formats::Duration{options.from && !options.from->absolute ? options.from->nanoseconds : 0};
  write_file(output.empty() ? "-" : output, as_json ? report::lanes_json(lanes, how.zero) : report::lanes_svg(lanes, how), file);
  if (const std::string notes = report::lanes_notes(lanes); !notes.empty()) std::fprintf(stderr, "tailcap timeline: %s\n", notes.c_str());
  return exit_code(analysis.damaged, analysis.wrong, "timeline");
}

}  // namespace

int run_timeline(int argc, char** argv) {
  std::vector<std::string> files;
  std::vector<std::uint32_t> pids;
  std::string output;
  Selection selection;
  bool as_json = false;
  po::options_description options;
  options.add_options()("help,h", "")("file", po::value(&files))("output,o", po::value(&output))("from", po::value(&selection.from))(
      "to", po::value(&selection.to))("pid,p", po::value(&pids))(
      "json", po::bool_switch(&as_json));
  po::positional_options_description positional;
  positional.add("file", -1);
  try {
    using namespace po::command_line_style;
    po::variables_map values;
    po::store(po::command_line_parser(argc, argv).options(options).positional(positional).style(unix_style & ~allow_guessing).run(), values);
    if (values.count("help") > 0) {
      std::fputs(kHelp, stdout);
      return 0;
    }
    po::notify(values);
    if (files.empty()) return wrong_usage(argv[0], "no file given");
    if (files.size() > 1) return wrong_usage(argv[0], "unexpected argument '" + report::printable(files[1]) + "'");
    if (output.empty() && !as_json) return wrong_usage(argv[0], "no output given: -o OUT.svg, or --json");
    return run(files[0], output, as_json, selection, std::move(pids));
  } catch (const po::error& e) {
    return wrong_usage(argv[0], e.what());
  } catch (const UsageError& e) {
    return wrong_usage(argv[0], e.what());
  }
}

}  // namespace tailcap::commands
