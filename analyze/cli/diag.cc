// tailcap diag: what is wrong with a machine, beside its requests.
#include "analyze/report/host/diag.h"

#include <filesystem>
#include <tuple>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/event_window.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/node/node.h"
#include "analyze/pipeline/replay.h"

namespace tailcap::cli::diag_command {
namespace {

constexpr const char* kAbout =
    "tailcap diag says what is wrong with a machine that lists of processes do not show: processes that come and go "
    "within a second, shortage of memory (kills, reclaim, compaction, fragmentation), TCP that fails (connects, "
    "resets, retransmissions), slow disks. The findings come first, in a sentence each. What was not recorded is "
    "named: it is not \"none\".";

constexpr const char* kNotes =
    R"(FILE is best recorded with `tailcap record --profile node`: the whole machine. Other captures hold some of it,
of the processes that were recorded. Where events were lost, counts are lower bounds. In JSON, what was not recorded is
null; docs/diag.schema.json is its schema.

examples:
  tailcap record --profile node -d 60s -o node.tcap
  tailcap diag node.tcap
  tailcap diag node.tcap --json | jq '.findings[].text'
)";

constexpr std::size_t kWidth = 120;

}  // namespace

int run(int argc, char** argv) {
  std::string file, format, output;
  EventRange range;
  CommandLine line("diag", kAbout);
  line.capture(file);
  line.group("Which time?");
  add_event_range(line, range);
  line.group("In which form?");
  line.format(format, {"text", "json"}, &output);
  line.schema(report::diag_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  EventWindow window(range);
  pipeline::Replay replay(file);
  const formats::FileSummary summary = replay.summary();
  window.begin(replay.preamble(), summary.first);
  node::Node node(replay.preamble());
  bool any = false;
  replay.each([&](const formats::Event& event) {
    window.push(event);
    const bool meant = window.holds(event);
    node.push(event, meant);
    any = any || (meant && !std::holds_alternative<formats::CaptureEnd>(event.body));
  });
  if (!any && !window.all()) return nothing_matches("diag", "event");
  model::NodeStudy study = node.study();
  if (!window.all()) std::tie(study.begin, study.end) = window.within(summary.first, summary.last);
  const std::string name = std::filesystem::path(file).filename().string();
  write_file(output, format == "json" ? report::diag_json(study) : report::diag_text(study, name, kWidth), file);
  return exit_code(study.damaged, "diag");
}

}  // namespace tailcap::cli::diag_command
