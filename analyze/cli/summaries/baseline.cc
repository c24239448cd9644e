// tailcap baseline: what is usual at a time of day, and what is outside of it.
#include "analyze/summaries/baseline.h"

#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/summaries/inputs.h"
#include "analyze/report/summaries/summaries.h"

namespace tailcap::cli::baseline_command {
namespace {

constexpr const char* kAbout =
    "tailcap baseline learns from summaries of a week or more what is usual for each service at each hour of the day: "
    "rate, errors and percentiles. With --new it says what is outside of that. Where weekdays or weekends differ, and "
    "two of each are there, it compares like with like; with too few days it refuses, and says what is missing.";

constexpr const char* kNotes =
    R"(A band ends where one day in 100 is outside by chance, over all metrics of a service, for three hours in a row. How
well it holds for the days that it was learned from is printed. docs/summaries.md says how bands are made.

Exit codes with --new: 0 nothing is outside, 3 something is, 4 nothing could be judged; 1 and 2 as in all commands.

examples:
  tailcap baseline february.tcs
  tailcap baseline february.tcs --new today.tcs
  tailcap baseline day-*.tcs --new today.tcap --json
)";

constexpr Definition kNew{"new", 0, "FILE",
                          "say what is outside of what is usual in FILE, a summary or a capture (repeatable)", 0};
constexpr Definition kCycle{"cycle", 0, "T",
                            "what repeats: 24 steps of T / 24 (default 24h; weekdays are only compared with that)", 0};

struct Arguments {
  std::vector<std::string> files, fresh;
  std::string format, output;
  formats::Duration cycle{};
  std::size_t width = 0, most = 20;
};

int code_of(const model::BaselineStudy& study, bool check) {
  bool outside = false, judged = false;
  for (const model::ServiceBaseline& s : study.services) {
    outside = outside || !s.outside.empty();
    judged = judged || s.checked > 0;
    if (!check)
      for (const model::MetricBaseline& m : s.metrics) judged = judged || m.missing.empty();
  }
  if (outside) return kGateFails;
  if (judged) return kDone;
  complain("baseline",
           check ? "nothing could be judged: there is too little data." : "there is too little data for a baseline.");
  return kNoAnswer;
}

int run(const Arguments& a) {
  summaries::BaselineOptions options;
  if (a.cycle.count() > 0) options.cycle = a.cycle.count();
  const SummarisedFiles known = summary_of_files("baseline", a.files, {}, 0);
  SummarisedFiles fresh;
  if (!a.fresh.empty()) fresh = summary_of_files("baseline", a.fresh, {}, known.summary.window);
  const model::BaselineStudy study =
      summaries::baseline_of(known.summary, a.fresh.empty() ? nullptr : &fresh.summary, options);
  const std::string text =
      a.format == "json" ? report::baseline_json(study)
                         : printed_document(report::baseline_document(study, a.most), a.format, a.output, a.width);
  write_file(a.output, text, a.files.front());
  if (const int failed = exit_code(false, fresh.wrong, "baseline"); failed == kFailed) return failed;
  return code_of(study, !a.fresh.empty());
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("baseline", kAbout);
  line.words("SUMMARY...", a.files, 1, "no file given: summaries, or captures, of many days");
  line.option(kNew, &a.fresh);
  line.option(kCycle, &a.cycle);
  line.group("In which form?");
  line.format(a.format, {"text", "md", "json"}, &a.output);
  line.schema(report::baseline_schema);
  line.option(option::kLimit, &a.most, "print at most N rows of a list (default 20); JSON has all");
  line.width(a.width, 120);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (line.given(kCycle) && a.cycle.count() < 24 * formats::kLeastWindow) throw UsageError("--cycle is at least 24ms");
  return run(a);
}

}  // namespace tailcap::cli::baseline_command
