// tailcap top: the routes now, while they are recorded.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>

#include "analyze/cli/command.h"
#include "analyze/cli/follow/live_reading.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/cli/top/top_screen.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/report/board/route_board.h"
#include "analyze/views/top/latest_requests.h"
#include "analyze/views/top/route_board.h"

namespace tailcap::cli::top_command {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr const char* kAbout =
    "tailcap top shows the routes of a recording that is under way: their rate, errors and percentiles in the last ten "
    "seconds, the slowest request, and how many requests are under way. A terminal shows one table, which is drawn "
    "anew every second. A file or pipe gets one table after another. A capture that is finished gives one table.";

constexpr const char* kNotes =
    R"(FILE is what `tailcap record -o` was given, or - for a stream on standard input. A request is counted one second after it
has ended, because losses are counted late. A percentile that the data does not support is a lower bound (≥) or left
out (–). A route that begins with "calls" is called by the recorded processes. Ctrl-C ends it.

examples:
  tailcap top slow.tcap
  tailcap record --port 8080 -o - | tailcap top -
  tailcap top slow.tcap -w 'path contains "/cart"' --last 60s
  tailcap top slow.tcap --json | jq '.routes[] | select(.errors > 0)'
)";

constexpr Definition kLast{"last", 0, "T",
                           "while it is recorded: count requests that ended in the last T (default 10s)", 0};

constexpr std::size_t kWidth = 120;
constexpr std::size_t kOtherLines = 7;  // of a screen, beside the routes
constexpr formats::Duration kShortest = 100ms;

struct Arguments {
  std::string file, format;
  Selection selection;
  formats::Duration last = 10s, every = 1s;
  std::size_t limit = 0, width = 0;
};

// It has its name: no recorder is at it.
bool finished(const std::string& file) {
  std::error_code error;
  return file != "-" && !file.ends_with(".partial") && std::filesystem::is_regular_file(file, error);
}

std::string text_of(const Arguments& a, const model::RouteBoard& board, formats::Time begin,
                    const model::WallClock& clock, bool screen) {
  if (a.format == "json") return report::json_board(board, clock, a.limit);
  report::BoardLook look{.width = terminal_width(a.width > 0 ? a.width : kWidth), .most = a.limit};
  if (a.width > 0) look.width = a.width;
  look.coloured = coloured();
  if (screen && look.most == 0) {
    const std::size_t lines = terminal_height(24);
    look.most = lines > kOtherLines + 1 ? lines - kOtherLines : 1;
  }
  return report::text_board(board, begin, look);
}

int once(const Arguments& a) {
  pipeline::Options options = options_of(a.selection);
  options.study = false;
  const pipeline::Analysis analysis = pipeline::analyze(a.file, options);
  const model::Study& study = analysis.study;
  if (analysis.table.rows.empty() && !a.selection.empty()) return nothing_matches("top", "request");
  TopScreen screen(false);
  screen.show(text_of(a, views::board_of(analysis.table, study, study.begin, study.end), study.quality.file.first,
                      study.quality.clock, false));
  return exit_code(analysis, "top");
}

class Live {
 public:
  explicit Live(const Arguments& a)
      : a_(a),
        filters_(options_of(a.selection).filters),
        latest_(a.last),
        reading_("top", a.file),
        screen_(a.format == "text" && moves_cursor()) {}

  int run() {
    bool more = true;
    Clock::time_point due = Clock::now() + a_.every;
    while (more) {
      const auto left = std::chrono::duration_cast<formats::Duration>(due - Clock::now());
      if (!reading_.read(std::clamp<formats::Duration>(left, 1ms, 500ms))) break;
      take();
      if (Clock::now() < due) continue;
      due = Clock::now() + a_.every;
      if (reading_.following() && !reading_.ended()) more = screen_.show(table());
    }
    if (more && reading_.following()) screen_.end(table());
    if (!more || reading_.interrupted()) return kDone;
    return reading_.stopped() ? kIncomplete : exit_code(!reading_.whole(), "top");
  }

 private:
  bool wanted(const model::RequestTable& table, const model::Request& row) const {
    model::columns::ColumnFacts facts(table, row);
    facts.clock = &reading_.following()->clock();
    facts.live = true;
    return std::ranges::all_of(filters_, [&](const query::Filter& f) { return f.matches(facts); });
  }

  void take() {
    pipeline::Following* const following = reading_.following();
    if (!following) return;
    for (const model::Request& row : following->take(reading_.nothing_to_come())) latest_.add(row, following->now());
  }

  std::string table() {
    const pipeline::Following& following = *reading_.following();
    formats::Time now = following.now();
    if (reading_.ended() || reading_.nothing_to_come()) now += std::max(reading_.silence(), pipeline::kSettling);
    const auto meant = [&](const auto& table, const auto& row) { return wanted(table, row); };
    return text_of(a_, latest_.board(following, now, meant), reading_.first(), following.clock(), true);
  }

  const Arguments& a_;
  const std::vector<query::Filter> filters_;
  views::LatestRequests latest_;
  mutable LiveReading reading_;
  TopScreen screen_;
};

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("top", kAbout);
  line.capture(a.file);
  add_selection(line, a.selection);
  line.group("How much?");
  line.option(kLast, &a.last);
  line.option(option::kEvery, &a.every, "while it is recorded: show a table every T (default 1s)");
  line.option(option::kLimit, &a.limit,
              "show at most N routes (default: as many as the terminal has lines; elsewhere all)");
  line.group("In which form?");
  line.format(a.format, {"text", "json"}, nullptr, "json: an object for each table, on a line of its own");
  line.option(option::kWidth, &a.width, "columns of the text (default: the terminal's, else 120)");
  line.schema(report::board_schema);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (a.every < kShortest) throw UsageError("--every must be at least 100ms");
  if (a.last < kShortest) throw UsageError("--last must be at least 100ms");
  if (finished(a.file)) {
    if (line.given(kLast) || line.given(option::kEvery))
      throw UsageError("--last and --every are for a recording that is under way, and this capture is finished");
    return once(a);
  }
  refuse_later(a.selection);
  return Live(a).run();
}

}  // namespace tailcap::cli::top_command
