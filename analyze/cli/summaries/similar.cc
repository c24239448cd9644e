// tailcap similar: past incidents whose time was spent on the same.
#include "analyze/summaries/similar.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/summaries/inputs.h"
#include "analyze/report/summaries/summaries.h"

namespace tailcap::cli::similar_command {
namespace {

constexpr const char* kAbout =
    "tailcap similar compares the summary of an incident with those of past ones: how the time of requests is shared "
    "by "
    "labels and callees, and samples and waits by functions. The nearest comes first, with what both share.";

constexpr const char* kNotes =
    R"(The distance is that of Jensen and Shannon, from 0, the same, to 1, nothing in common. It says what is alike, not what
the cause is. docs/summaries.md describes it.

examples:
  tailcap similar today.tcs incidents/*.tcs
  tailcap similar today.tcap incidents/*.tcs -n 3
)";

struct Arguments {
  std::vector<std::string> files;
  std::string format, output;
  std::size_t width = 0, most = 10;
};

summaries::SummaryProfile profile_of_file(const std::string& file, SummarisedFiles& read) {
  read = summary_of_files("similar", {file}, {}, 0);
  return summaries::profile_of(read.summary);
}

std::string name_of_file(const std::string& path) { return std::filesystem::path(path).filename().string(); }

int run(const Arguments& a) {
  SummarisedFiles mine, other;
  const summaries::SummaryProfile profile = profile_of_file(a.files.front(), mine);
  model::SimilarityStudy study;
  study.file = name_of_file(a.files.front());
  for (std::size_t i = 1; i < a.files.size(); ++i) {
    study.nearest.push_back(summaries::compared(profile, profile_of_file(a.files[i], other)));
    study.nearest.back().file = name_of_file(a.files[i]);
  }
  std::ranges::stable_sort(study.nearest, {},
                           [](const auto& s) { return s.distance.value_or(std::numeric_limits<double>::infinity()); });
  const std::string text = a.format == "json"
                               ? report::similar_json(study)
                               : printed_document(report::similar_document(study, a.most), a.format, a.output, a.width);
  write_file(a.output, text, a.files.front());
  if (!study.nearest.front().distance) return kNoAnswer;
  return exit_code(mine.damaged, mine.wrong, "similar");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("similar", kAbout);
  line.words("SUMMARY...", a.files, 2, "name the summary of an incident, and those of past ones");
  line.group("In which form?");
  line.format(a.format, {"text", "md", "json"}, &a.output);
  line.schema(report::similar_schema);
  line.option(option::kLimit, &a.most, "print the N nearest (default 10); JSON has all");
  line.width(a.width, 120);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  return run(a);
}

}  // namespace tailcap::cli::similar_command
