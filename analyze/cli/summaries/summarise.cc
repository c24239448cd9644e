// tailcap summarise: captures as one small file that can be added to others.
#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/cli/summaries/inputs.h"
#include "analyze/report/summaries/summaries.h"
#include "formats/summary/summary_file.h"

namespace tailcap::cli::summarise_command {
namespace {

constexpr const char* kAbout =
    "tailcap summarise makes a small file of captures, or of other summaries: requests, failures, durations by route, "
    "status, label and callee, calls between services, statements and functions, for each five minutes. Summaries are "
    "added in any order with the same result, so that weeks fit into one. Masked values stay masked.";

constexpr const char* kNotes =
    R"(A percentile of a summary is at most 2.2 % away from the exact one. A recording that is in two of the files is an error:
its requests would count twice. docs/summaries.md says what a summary holds.

examples:
  tailcap summarise slow.tcap
  tailcap summarise slow.tcap -o slow.tcs
  tailcap summarise monday.tcs tuesday.tcs flight-*.tcap -o week.tcs
  tailcap baseline week.tcs --new today.tcs
)";

// `tailcap watch --summaries` divides the time of several snapshots of one recording so.
constexpr Definition kEndedFrom{"ended-from", 0, "NS",
                                "only requests of captures that ended NS nanoseconds after 1970 (UTC) or later", 0};
constexpr Definition kEndedTo{"ended-to", 0, "NS", "only requests of captures that ended before this time", 0};

struct Arguments {
  std::vector<std::string> files;
  std::string format, output;
  formats::Duration window{};
  std::size_t width = 0, most = 20;
  std::optional<std::uint64_t> ended_from, ended_to;
  Selection selection;
};

std::string text_of(const Arguments& a, const formats::Summary& summary) {
  if (a.format == "tcs") return formats::encode_summary(summary);
  if (a.format == "json") return report::summary_json(summary);
  return printed_document(report::summary_document(summary, a.most), a.format, a.output, a.width);
}

std::int64_t time_of(std::uint64_t ns) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(ns, formats::kLatest));
}

int run(const Arguments& a) {
  views::EndedBetween ended;
  if (a.ended_from) ended.from = time_of(*a.ended_from);
  if (a.ended_to) ended.to = time_of(*a.ended_to);
  const SummarisedFiles read = summary_of_files("summarise", a.files, options_of(a.selection), a.window.count(), ended);
  write_file(a.output, text_of(a, read.summary), a.files.front());
  return exit_code(read.damaged, read.wrong, "summarise");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("summarise", kAbout);
  line.words("FILE...", a.files, 1, "no file given: captures, or summaries");
  line.option(option::kWindow, &a.window,
              "count by windows of T, from 1ms to 24h; files that are added have the same (default: that of the "
              "summaries, else 5m)");
  line.option(kEndedFrom, &a.ended_from);
  line.option(kEndedTo, &a.ended_to);
  line.group("In which form?");
  line.format(a.format, {"text", "tcs", "md", "json"}, &a.output,
              "tcs: a summary that the other commands read, which an OUT that ends in .tcs chooses; the others are for "
              "people and programs");
  line.schema(report::summary_schema);
  line.option(option::kLimit, &a.most, "print at most N rows of a list (default 20); JSON has all");
  line.width(a.width, 120);
  add_routes(line, a.selection);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (line.given(option::kWindow) &&
      (a.window.count() < formats::kLeastWindow || a.window.count() > formats::kMostWindow))
    throw UsageError("--window is from 1ms to 24h");
  if (a.format == "tcs" && (a.output.empty() || a.output == "-") && on_terminal())
    throw UsageError("the format is not for a terminal: name a file with -o");
  return run(a);
}

}  // namespace tailcap::cli::summarise_command
