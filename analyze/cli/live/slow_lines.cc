#include "analyze/cli/live/slow_lines.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <thread>
#include <vector>

#include "analyze/cli/follow/live_reading.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/line_output.h"
#include "analyze/model/columns/label_times.h"
#include "analyze/model/label.h"
#include "analyze/pipeline/question/question.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/tail/rows/routes.h"
#include "formats/bounds/read_limits.h"

namespace tailcap::cli {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using formats::Duration;

constexpr auto kForEvents = 500ms;
constexpr auto kUntilItBegins = 60s;
constexpr std::size_t kMostWaiting = 1000;  // lines that wait for their label; others are printed without
constexpr int kShareOfTime = 9;             // after a reading that took t, none for 9 t: a tenth of a CPU
constexpr auto kBetween = 1s;               // at least
constexpr auto kLongestWait = 20s;          // of a line for its label
constexpr std::uint64_t kMemory = 1ull << 30;
constexpr int kNiceness = 10;
constexpr std::size_t kTitle = 40;

struct SlowLine {
  model::Request row;
  std::string title;
  Clock::time_point since;
};

// "waiting for a lock 27.0 ms": the longest of what kept it from running. Empty: it ran all the time, as far as known.
std::string longest_wait(model::AccountParts parts) {
  std::int64_t running = 0;
  for (const auto& [label, time] : model::columns::longest_labels(parts)) {
    if (model::rank_of(label) != 7)
      return std::string(model::text_of(label)) + " " + report::duration_text(Duration{time});
    running += time;
  }
  return running > 0 ? "on CPU " + report::duration_text(Duration{running}) : "";
}

class SlowLines {
 public:
  SlowLines(std::string partial, std::string file, Duration least)
      : partial_(std::move(partial)), file_(std::move(file)), least_(least), reading_("record", partial_) {}

  int run() {
    ::signal(SIGINT, SIG_IGN);  // the recorder ends, and with it the file
    bool more = true;
    while (more && reading_.read(kForEvents)) {
      take();
      if (!waiting_.empty() && Clock::now() >= next_) explain();
      more = print_late();
    }
    if (more && !waiting_.empty() && !reading_.interrupted()) explain();
    for (const SlowLine& line : waiting_) print(line, "");
    out_.flush();
    return reading_.stopped() ? kIncomplete : kDone;
  }

 private:
  void take() {
    pipeline::Following* const following = reading_.following();
    if (!following) return;
    const model::TextPool& texts = following->table().texts;
    for (const model::Request& row : following->take(reading_.nothing_to_come())) {
      served_ = served_ || row.role == model::Role::server;
      if (!row.has_duration || row.duration < least_ || (served_ && row.role != model::Role::server)) continue;
      std::string title = row.method == 0 ? "?" : report::printable(texts[row.method]);
      if (row.path != 0) title += " " + report::printable(tail::learned_route(tail::path_of(texts[row.path])));
      waiting_.push_back({row, report::shortened(title, kTitle), Clock::now()});
    }
  }

  // The longest waits of those that wait for them, from what is recorded by now. Prints those that are known.
  void explain() {
    const auto begun = Clock::now();
    std::map<model::ExchangeId, std::string> known;
    try {
      known = longest_waits();
    } catch (const std::exception&) {
      // The file was renamed meanwhile, or there is no room for the analysis: the next time, or no label.
    }
    std::erase_if(waiting_, [&](const SlowLine& line) {
      const auto at = known.find(line.row.id);
      if (at == known.end() || at->second.empty()) return false;
      print(line, at->second);
      return true;
    });
    out_.flush();
    next_ = Clock::now() + std::max<Clock::duration>(kBetween, kShareOfTime * (Clock::now() - begun));
  }

  std::map<model::ExchangeId, std::string> longest_waits() const {
    formats::Time earliest = waiting_.front().row.start;
    for (const SlowLine& line : waiting_) earliest = std::min(earliest, line.row.start);
    pipeline::Options options;
    options.threads = 1;
    options.study = false;
    options.partition = true;
    options.from = pipeline::Moment{.nanoseconds = std::max<std::int64_t>(0, (earliest - reading_.first()).count())};
    std::error_code error;
    pipeline::Question question(std::filesystem::exists(partial_, error) ? partial_ : file_, 1, {});
    const pipeline::DecidingPart part{.window = true, .decided = [](bool) { return false; }};
    const pipeline::Answer answer = question.ask(options, part, [&](pipeline::Replay& replay) {
      pipeline::Answer out;
      out.analysis = pipeline::analyze(replay, options, {});
      for (std::size_t i = 0; i < out.analysis.table.rows.size(); ++i)
        if (const model::ExchangeId id = out.analysis.table.rows.id(i); id.index > model::kProvisional)
          out.named.insert(id);
      return out;
    });
    std::map<model::ExchangeId, std::string> out;
    for (const SlowLine& line : waiting_)
      out[line.row.id] = longest_wait(answer.analysis.table.partitions.parts(line.row.id));
    return out;
  }

  // Those whose label takes too long. False: the reader has gone.
  bool print_late() {
    const auto late = [&](const SlowLine& line) { return Clock::now() - line.since > kLongestWait; };
    while (!waiting_.empty() && (waiting_.size() > kMostWaiting || late(waiting_.front()))) {
      print(waiting_.front(), "");
      waiting_.erase(waiting_.begin());
    }
    out_.flush();
    return !out_.gone();
  }

  void print(const SlowLine& line, const std::string& wait) {
    // The recorder's own line on the terminal is drawn again.
    const std::string_view over = isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1 ? "\r\x1b[K" : "";
    std::string text(over);
    text += report::offset_text(line.row.start, reading_.first()) + "  " + report::duration_text(line.row.duration) +
            "  " + line.title + "  " + (wait.empty() ? "(its waits: tailcap show)" : wait) + "  " +
            report::id_text(line.row.id);
    out_.line(text);
  }

  const std::string partial_, file_;
  const Duration least_;
  LiveReading reading_;
  LineOutput out_;
  std::vector<SlowLine> waiting_;
  Clock::time_point next_ = Clock::now();
  bool served_ = false;
};

}  // namespace

int print_slow_lines(const std::string& file, Duration least) {
  setpriority(PRIO_PROCESS, 0, kNiceness);
  formats::ReadLimits limits = formats::read_limits();
  limits.memory = kMemory;
  limits.memory_in_proportion = false;
  formats::set_read_limits(limits);
  const pid_t starter = getppid();
  const auto until = Clock::now() + kUntilItBegins;
  std::error_code error;
  const std::string partial = file + ".partial";
  while (!std::filesystem::exists(partial, error)) {
    if (getppid() != starter || Clock::now() > until) return kFailed;
    std::this_thread::sleep_for(50ms);
  }
  return SlowLines(partial, file, least).run();
}

}  // namespace tailcap::cli
