// tailcap complete: words for the completions of shells (scripts/help-files). Not for people: no help lists it.
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/capture_here.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/bounds/read_limits.h"
#include "formats/printable.h"

namespace tailcap::cli::complete_command {
namespace {

constexpr const char* kAbout =
    "tailcap complete prints what can stand on a command line, for the completions of shells: a line for each word, "
    "with "
    "what it is behind a tab. It reads the beginning of the capture and takes at most two seconds.";

// A completion that takes longer is none.
constexpr std::uint64_t kRequests = 20'000;
constexpr int kSeconds = 2;
constexpr std::size_t kMostIds = 100, kLongest = 200;

void leave(int) { _exit(kDone); }

// A timer, since a long block of the file is decoded at once.
void limit_time() {
  struct sigaction action {};
  action.sa_handler = leave;
  sigaction(SIGALRM, &action, nullptr);
  const itimerval timer{{}, {kSeconds, 0}};
  setitimer(ITIMER_REAL, &timer, nullptr);
}

// Shells get words of the capture: only those that are what they seem, whatever the terminal.
bool plain(std::string_view text) {
  return !text.empty() && text.size() <= kLongest && formats::printable(text) == text &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

void print_ids(const pipeline::Analysis& analysis, LineOutput& out) {
  const model::RequestTable& table = analysis.table;
  std::vector<std::uint32_t> rows;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    if (table.rows.has_duration(i)) rows.push_back(i);
  const auto shown = rows.begin() + static_cast<std::ptrdiff_t>(std::min(kMostIds, rows.size()));
  std::ranges::partial_sort(rows, shown, [&](std::uint32_t a, std::uint32_t b) {
    const auto x = table.rows.duration(a), y = table.rows.duration(b);
    return x != y ? x > y : a < b;
  });
  out.line("slowest\tthe slowest request");
  out.line("@1\tthe example of the report's answer 1");
  for (auto at = rows.begin(); at != shown; ++at) {
    const model::Request row = table.rows[*at];
    const std::string title = report::request_title(row, table.texts);
    out.line(report::id_text(row.id) + "\t" + report::duration_text(row.duration) + " " +
             (title.size() <= kLongest ? title : ""));
  }
}

void print_routes(const pipeline::Analysis& analysis, LineOutput& out) {
  std::set<std::string> routes;
  for (std::size_t i = 0; i < analysis.table.rows.size(); ++i)
    routes.emplace(analysis.table.texts[analysis.table.rows.route(i)]);
  for (const std::string& route : routes)
    if (plain(route)) out.line(route);
}

}  // namespace

int run(int argc, char** argv) {
  std::string what, file;
  CommandLine line("complete", kAbout);
  line.word("ids|routes", what, "say what: ids or routes");
  line.word("FILE", file, nullptr);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (what != "ids" && what != "routes") throw UsageError("it completes ids and routes");
  if (file.empty()) file = capture_here("complete");
  limit_time();
  formats::ReadLimits limits = formats::read_limits();
  limits.requests = std::min(limits.requests, kRequests);
  formats::set_read_limits(limits);
  pipeline::Options options;
  options.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(file, options);
  LineOutput out;
  what == "ids" ? print_ids(analysis, out) : print_routes(analysis, out);
  out.flush();
  return kDone;
}

}  // namespace tailcap::cli::complete_command
