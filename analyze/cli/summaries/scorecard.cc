// tailcap scorecard: how far services kept what they promise, by week.
#include "analyze/summaries/scorecard.h"

#include <string>
#include <utility>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/summaries/inputs.h"
#include "analyze/cli/summaries/limits.h"
#include "analyze/report/summaries/summaries.h"

namespace tailcap::cli::scorecard_command {
namespace {

constexpr const char* kAbout =
    "tailcap scorecard says for each service and week what share of requests did not fail, and how far limits were "
    "kept: "
    "their values, the burn rate of their error budgets with the worst hour, and what is left of each budget. The "
    "limits are those of tailcap assert.";

constexpr const char* kNotes =
    R"(Weeks begin on Monday, UTC. Values are those of what was recorded, which the column says. Limits of what summaries do
not hold, such as calls, are undecided.

examples:
  tailcap scorecard march.tcs
  tailcap scorecard march.tcs --slo slo.yaml
  tailcap scorecard march.tcs --at-most 'p99: 200ms, errors: 0.5%'
)";

struct Arguments {
  std::vector<std::string> files, at_most;
  std::string slo, format, output;
  std::size_t width = 0;
};

int run(const Arguments& a) {
  auto slos = limits_of("scorecard", a.slo, a.at_most);
  if (!slos) return kBadUsage;
  const SummarisedFiles read = summary_of_files("scorecard", a.files, {}, 0);
  if (read.summary.windows.empty()) return nothing_matches("scorecard", "request");
  const model::Scorecard card = summaries::scorecard_of(read.summary, std::move(*slos));
  const std::string text = a.format == "json"
                               ? report::scorecard_json(card)
                               : printed_document(report::scorecard_document(card), a.format, a.output, a.width);
  write_file(a.output, text, a.files.front());
  if (card.weeks.empty()) return nothing_matches("scorecard", "served request");
  return exit_code(read.damaged, read.wrong, "scorecard");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("scorecard", kAbout);
  line.words("SUMMARY...", a.files, 1, "no file given: summaries, or captures");
  line.group("Which limits?");
  line.option(option::kSlo, &a.slo);
  line.option(kAtMost, &a.at_most);
  line.group("In which form?");
  line.format(a.format, {"text", "md", "html", "json"}, &a.output);
  line.schema(report::scorecard_schema);
  line.width(a.width, 120);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  return run(a);
}

}  // namespace tailcap::cli::scorecard_command
