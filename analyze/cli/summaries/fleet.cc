// tailcap fleet: which service is not well, since when, and what its time is spent on.
#include "analyze/summaries/fleet.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/keep/known_capture.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/summaries/inputs.h"
#include "analyze/cli/summaries/limits.h"
#include "analyze/report/summaries/fleet_page.h"
#include "analyze/views/fleet/hours.h"
#include "formats/printable.h"
#include "formats/summary/summary_file.h"

namespace tailcap::cli::fleet_command {
namespace {

constexpr const char* kAbout =
    "tailcap fleet says of the services in summaries which is not well, since when, and what its requests spend their "
    "time on: what is outside of a baseline, which error budgets burn too fast, the worst routes, calls between "
    "services, versions, and the captures. As a page, it is one file that loads nothing.";

constexpr const char* kNotes =
    R"(Services are judged by the latest day, against what is usual: what the summaries have before that day, at least seven
whole days, or the summaries of --baseline. With limits, also by their error budgets. A service about which too little is known is
not judged. docs/fleet.md explains the page.

Exit codes: 0 no service is known not to be well, 3 one is not, 4 none could be judged; 1 and 2 as in all commands.

examples:
  tailcap fleet days/*.tcs -o fleet.html
  tailcap fleet days/*.tcs --slo slo.yaml --captures /var/lib/tailcap -o fleet.html
  tailcap fleet today.tcs --baseline last-month.tcs
  tailcap fleet --from-clickhouse http://clickhouse:8123 --slo slo.yaml -o fleet.html
)";

constexpr Definition kBaseline{"baseline", 0, "FILE",
                               "what is usual is learned from FILE, a summary or a capture (repeatable), not from what "
                               "is before the latest time",
                               0};
constexpr Definition kLatest{"latest", 0, "T", "judge services by the last T of the summaries (default 24h)", 0};
constexpr Definition kCaptures{"captures", 0, "PATH",
                               "link the captures at PATH, a file or a folder with such files (repeatable)", 0};
constexpr Definition kLinkBase{"link-base", 0, "URL", "links to captures are URL and the name of the file", 0};

constexpr std::size_t kMostLinked = 10'000;  // files that are looked at

struct Arguments {
  std::vector<std::string> files, baseline, at_most, captures;
  std::string slo, link_base, from_clickhouse, format, output;
  formats::Duration latest = std::chrono::hours{24};
  std::size_t width = 0, most = 20;
};

namespace fs = std::filesystem;

std::vector<std::string> capture_paths(const Arguments& a) {
  std::vector<std::string> out;
  for (const std::string& file : a.files)
    if (!formats::is_summary_file(file)) out.push_back(file);
  for (const std::string& path : a.captures) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (!fs::exists(path, error)) throw UsageError("--captures: there is no " + formats::printable(path));
      out.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const auto& entry : fs::directory_iterator(path, error))
      if (entry.path().extension() == ".tcap" && inside.size() < kMostLinked) inside.push_back(entry.path().string());
    std::ranges::sort(inside);
    out.insert(out.end(), inside.begin(), inside.end());
  }
  if (out.size() > kMostLinked) {
    complain("fleet", "of the files of --captures only 10,000 are linked.");
    out.resize(kMostLinked);
  }
  return out;
}

// As the page names it: a page can be anywhere.
std::string target_of(const Arguments& a, const std::string& path) {
  if (!a.link_base.empty())
    return a.link_base + (a.link_base.ends_with('/') ? "" : "/") + fs::path(path).filename().string();
  std::error_code error;
  const fs::path folder = fs::absolute(a.output.empty() || a.output == "-" ? "." : a.output, error).parent_path();
  return a.format == "html" ? fs::proximate(fs::absolute(path, error), folder, error).string() : path;
}

void link_captures(const Arguments& a, model::FleetStudy& study) {
  for (const std::string& path : capture_paths(a)) {
    try {
      const KnownCapture known(path);
      for (model::FleetFile& file : study.files) {
        const bool same_time = std::min(file.capture.ended, known.ended) >= std::max(file.capture.began, known.began);
        if (file.capture.id == known.id && same_time && file.target.empty()) file.target = target_of(a, path);
      }
    } catch (const std::exception& e) {
      complain("fleet", std::string("no link: ") + e.what());
    }
  }
}

int code_of(const model::FleetStudy& study) {
  const auto any = [&](model::ServiceHealth health) {
    return std::ranges::any_of(study.services, [&](const auto& s) { return s.health == health; });
  };
  if (any(model::ServiceHealth::not_well)) return kGateFails;
  if (any(model::ServiceHealth::well)) return kDone;
  complain("fleet", "no service could be judged.");
  return kNoAnswer;
}

int run(const Arguments& a) {
  summaries::FleetOptions options;
  options.latest = a.latest.count();
  auto slos = limits_of("fleet", a.slo, a.at_most);
  if (!slos) return kBadUsage;
  options.slos = std::move(*slos);
  SummarisedFiles read;
  if (a.from_clickhouse.empty()) read = summary_of_files("fleet", a.files, {}, 0);
  formats::Summary detail;
  if (!a.from_clickhouse.empty()) {
    const bool of_routes = std::ranges::any_of(options.slos, [](const auto& slo) { return slo.route != "*"; });
    views::FleetSums sums =
        views::fleet_sums_in(exports::clickhouse_of_environment(a.from_clickhouse), options.latest, of_routes);
    read.summary = std::move(sums.hours);
    detail = std::move(sums.detail);
    options.detail = &detail;
  }
  if (read.summary.windows.empty()) return nothing_matches("fleet", "request");
  SummarisedFiles usual;
  if (!a.baseline.empty()) {
    usual = summary_of_files("fleet", a.baseline, {}, read.summary.window);
    options.usual = &usual.summary;
  }
  model::FleetStudy study = summaries::fleet_of(read.summary, options);
  link_captures(a, study);
  const std::string text = a.format == "json"
                               ? report::fleet_json(study)
                               : printed_document(report::fleet_page(study, a.most), a.format, a.output, a.width);
  write_file(a.output, text, a.files.empty() ? "" : a.files.front());
  if (const int failed = exit_code(false, read.wrong, "fleet"); failed == kFailed) return failed;
  return code_of(study);
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("fleet", kAbout);
  line.words("SUMMARY...", a.files, 0, "");
  line.group("What are services held against?");
  line.option(kBaseline, &a.baseline);
  line.option(kLatest, &a.latest);
  line.option(option::kSlo, &a.slo);
  line.option(kAtMost, &a.at_most);
  line.group("Where are the captures?");
  line.option(option::kFromClickHouse, &a.from_clickhouse);
  line.option(kCaptures, &a.captures);
  line.option(kLinkBase, &a.link_base);
  line.group("In which form?");
  line.format(a.format, {"text", "html", "md", "json"}, &a.output);
  line.schema(report::fleet_schema);
  line.option(option::kLimit, &a.most, "print at most N rows of a list (default 20); JSON has all");
  line.width(a.width, 120);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (a.files.empty() == a.from_clickhouse.empty())
    throw UsageError(a.files.empty() ? "no file given: summaries, or captures; or --from-clickhouse URL"
                                     : "SUMMARY and --from-clickhouse both say which captures are meant; choose one");
  if (a.latest < std::chrono::hours{1}) throw UsageError("--latest is at least 1h: services are judged by the hour");
  return run(a);
}

}  // namespace tailcap::cli::fleet_command
