// tailcap cardinality: how many series metrics have, and which dimensions make them.
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/report/series/series.h"
#include "analyze/report/words/number.h"
#include "analyze/series/growth.h"
#include "analyze/views/series/census_of.h"
#include "formats/printable.h"

namespace tailcap::cli::cardinality_command {
namespace {

constexpr const char* kAbout =
    "tailcap cardinality counts the series of metrics, those of `tailcap export --format openmetrics` of a capture or "
    "those in a file in the format of OpenMetrics or Prometheus: which dimensions (OpenMetrics's labels) make them "
    "many, and what leaving one out, or replacing numbers in its values, would save and merge. With several files it "
    "says how fast they grow.";

constexpr const char* kNotes =
    R"(FILE is a capture (.tcap) or a text of metrics. Several are put in the order of their times; the tables are those of the
last. Counts are exact up to 2,000,000 series and 512 MiB of names and values, beyond that HyperLogLog's estimates alone
are known. docs/cardinality.md says how they are made.

examples:
  tailcap cardinality slow.tcap
  tailcap cardinality metrics.txt --max-series 10000
  tailcap cardinality monday.txt tuesday.txt wednesday.txt --max-series 100000
)";

constexpr Definition kMaxSeries{
    "max-series", 0, "N",
    "a limit: exit code 3 where there are more series than N, and the changes that would keep "
    "it. With several files, when it will be reached",
    1};

struct Arguments {
  std::vector<std::string> files;
  std::string format, output;
  std::optional<std::uint64_t> limit;
  std::size_t width = 0, most = 20;
  Selection selection;
};

// Twice the standard error and a little: the estimate may be that far from the number.
constexpr double kDoubt = 0.03;

int code_of(const model::Census& last, bool damaged) {
  if (last.limit) {
    const auto limit = static_cast<double>(*last.limit);
    const double n = static_cast<double>(last.exact ? last.series.exact : last.series.estimate);
    if (last.exact ? n > limit : n * (1 - kDoubt) > limit) return kGateFails;
    if (!last.exact && n * (1 + kDoubt) > limit) return kNoAnswer;
  }
  return exit_code(damaged, "cardinality");
}

int run(const Arguments& a) {
  report::SeriesStudy study;
  bool damaged = false;
  for (const std::string& file : a.files) {
    views::CountedSeries counted = views::census_of(file, options_of(a.selection), a.limit);
    damaged = damaged || counted.damaged;
    if (counted.bytes_left_out > 0)
      complain("cardinality", "the last " + report::bytes_text(counted.bytes_left_out) + " of " +
                                  formats::printable(file) + " were not read: at most 256 MiB are.");
    if (counted.census.samples == 0)
      throw std::runtime_error(formats::printable(file) + " has no samples: it is no text of metrics, or an empty one");
    study.files.push_back(std::move(counted.census));
  }
  std::ranges::stable_sort(study.files, {}, &model::Census::at);
  study.growth = series::growth_of(study.files);
  const std::string text = a.format == "json"
                               ? report::series_json(study)
                               : printed_document(report::series_document(study, a.most), a.format, a.output, a.width);
  write_file(a.output, text, a.files.front());
  return code_of(study.files.back(), damaged);
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("cardinality", kAbout);
  line.words("FILE...", a.files, 1, "no file given: captures, or texts of metrics");
  line.option(kMaxSeries, &a.limit);
  line.group("In which form?");
  line.format(a.format, {"text", "md", "html", "json"}, &a.output);
  line.schema(report::series_schema);
  line.option(option::kLimit, &a.most, "print at most N rows of a list (default 20); JSON has all");
  line.width(a.width, 120);
  add_routes(line, a.selection);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  return run(a);
}

}  // namespace tailcap::cli::cardinality_command
