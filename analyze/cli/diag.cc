// tailcap diag: what is wrong with a machine, beside its requests.
#include "analyze/report/diag.h"

#include <filesystem>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/node/node.h"
#include "formats/reader.h"

namespace tailcap::cli {
namespace {

constexpr const char* kAbout =
    "tailcap diag says what is wrong with a machine that lists of processes do not show: processes that come and go "
    "within a second, shortage of memory (kills, reclaim, compaction, fragmentation), TCP that fails (connects, "
    "resets, "
    "retransmissions), slow disks. The findings come first, in a sentence each. What was not recorded is named: it is "
    "not \"none\".";

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

int run_diag(int argc, char** argv) {
  std::string file, format, output;
  CommandLine line("diag", kAbout);
  line.word("FILE", file, "no file given");
  line.format(format, {"text", "json"}, &output);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  formats::Reader reader(file, {});
  node::Node node(reader.preamble());
  for (auto events = reader.next(); !events.empty(); events = reader.next())
    for (const formats::Event& event : events) node.push(event);
  const flow::NodeStudy study = node.study();
  const std::string name = std::filesystem::path(file).filename().string();
  write_file(output, format == "json" ? report::diag_json(study) : report::diag_text(study, name, kWidth), file);
  return study.damaged ? kIncomplete : kDone;
}

}  // namespace tailcap::cli
