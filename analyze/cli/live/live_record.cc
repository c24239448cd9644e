#include "analyze/cli/live/live_record.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <system_error>
#include <thread>

#include "analyze/cli/keep/keep_summaries.h"
#include "analyze/cli/live/slow_lines.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/child.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/recorder_program.h"
#include "analyze/cli/output/signals.h"
#include "analyze/query/literal.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

using namespace std::chrono_literals;

constexpr formats::Duration kSlow = 100ms;
constexpr auto kForLines = 15s, kForSummaries = 600s;  // after the recorder has ended
constexpr formats::Duration kUntilItRecords = 60s;
constexpr int kSignalled = 128;
constexpr int kNiceBeside = 10;

constexpr const char* kLiveHelp = R"(
Options of tailcap record, not of tailcap-record
      --live[=TIME]      print a line for each request that took TIME or more (default: 100ms) while it records: when it
                         began, its duration, its route, the longest of its waits, and its ID. It needs a file that is
                         written while it records: no -o -, --last or --rotate
      --summaries DIR    keep a summary of each day in DIR meanwhile, as `tailcap watch --summaries` does: of files
                         that --rotate makes, each when it is finished; of --last, what is in memory; no -o -
)";

struct LiveWords {
  std::vector<std::string> words;  // for the recorder
  std::optional<formats::Duration> least;
  bool help = false;
  std::string file, summaries;
  bool beside() const { return least || !summaries.empty(); }
};

// "tailcap-20261124-120000.tcap", as the recorder names its files.
std::string name_by_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  char text[64];
  std::strftime(text, sizeof text, "tailcap-%Y%m%d-%H%M%S.tcap", &parts);
  return text;
}

formats::Duration least_of(std::string_view text) {
  const auto ns = query::parse_duration(text);
  if (!ns || *ns <= 0) throw UsageError("--live is a time like 250ms or 2s, not '" + formats::printable(text) + "'");
  return formats::Duration{*ns};
}

LiveWords read(const std::vector<std::string>& words) {
  LiveWords out;
  bool command = false, several = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    command = command || word == "--";
    if (!command && (word == "--live" || word.starts_with("--live="))) {
      out.least = word == "--live" ? kSlow : least_of(std::string_view(word).substr(7));
      continue;
    }
    if (!command && word == "--summaries") {
      if (i + 1 == words.size()) throw UsageError("--summaries needs the name of a folder");
      out.summaries = words[++i];
      continue;
    }
    if (!command && word.starts_with("--summaries=")) {
      out.summaries = word.substr(12);
      continue;
    }
    if (!command && (word == "--help" || word == "-h")) out.help = true;
    if (!command && (word == "-o" || word == "--output") && i + 1 < words.size()) out.file = words[i + 1];
    if (!command && word.starts_with("-o") && word.size() > 2) out.file = word.substr(2);
    if (!command && word.starts_with("--output=")) out.file = word.substr(9);
    several = several || (!command && (word.starts_with("--last") || word.starts_with("--rotate")));
    out.words.push_back(word);
  }
  if (out.least && several)
    throw UsageError("--live needs one file that is written while it records: no --last and no --rotate");
  if (out.least && out.file == "-")
    throw UsageError("--live needs a file; a stream goes to `tailcap requests --follow -` or `tailcap top -`");
  if (!out.summaries.empty() && out.file == "-") throw UsageError("--summaries needs files, and -o - is a stream");
  if (out.beside() && out.file.empty()) {
    out.file = name_by_time();
    out.words.insert(std::ranges::find(out.words, "--"), {"-o", out.file});
  }
  return out;
}

pid_t recorder = -1;

// Ctrl-C reaches the recorder, too; what was sent to this process alone is passed on.
void pass_on(int signal, siginfo_t* from, void*) {
  if (recorder > 0 && from->si_code <= 0) kill(recorder, signal);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return WIFSIGNALED(status) ? kSignalled + WTERMSIG(status) : WEXITSTATUS(status);
}

pid_t start(const std::function<int()>& run) {
  const pid_t child = fork();
  if (child < 0) throw std::system_error(errno, std::generic_category(), "cannot start a process");
  if (child == 0) _exit(run());
  return child;
}

// A process that works for this one, and ends with it.
pid_t start_beside(const std::function<int()>& run, const char* without) {
  const pid_t self = getpid();
  return start([&] {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != self) return kFailed;
    try {
      return run();
    } catch (const std::exception& e) {
      complain("record", std::string(without) + e.what());
      return kFailed;
    }
  });
}

int keep_beside(const LiveWords& live) {
  KeptSummaries kept;
  kept.file = live.file;
  kept.folder = live.summaries;
  kept.patience = kUntilItRecords;
  (void)setpriority(PRIO_PROCESS, 0, kNiceBeside);
  end_at_signals();
  // Ctrl-C is for the recorder: what it leaves is added, too.
  signal(SIGINT, SIG_IGN);
  return keep_summaries(kept);
}

void wait_at_most(pid_t child, std::chrono::seconds time) {
  int status = 0;
  const auto until = std::chrono::steady_clock::now() + time;
  while (child > 0 && waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > until) kill(child, SIGTERM);
    std::this_thread::sleep_for(20ms);
  }
}

int record_live(const LiveWords& live) {
  recorder = start([&] { return execute_recorder(live.words); });
  pid_t lines = -1, summaries = -1;
  if (live.least)
    lines = start_beside([&] { return print_slow_lines(live.file, *live.least); }, "no lines on slow requests: ");
  if (!live.summaries.empty()) summaries = start_beside([&] { return keep_beside(live); }, "no summaries: ");
  struct sigaction action {};
  action.sa_sigaction = pass_on;
  action.sa_flags = SA_SIGINFO;
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  const int code = wait_for(recorder);
  recorder = -1;
  wait_at_most(lines, kForLines);
  wait_at_most(summaries, kForSummaries);
  return code;
}

}  // namespace

int record(const std::vector<std::string>& words) {
  try {
    const LiveWords live = read(words);
    if (live.help) {
      const RecorderAnswer answer = ask_recorder({"--help"});
      std::fputs((answer.text + "\n" + (answer.code == kDone ? kLiveHelp : "")).c_str(), stdout);
      return answer.code;
    }
    return live.beside() ? record_live(live) : execute_recorder(live.words);
  } catch (const UsageError& e) {
    return wrong_usage("record", e.what());
  } catch (const std::exception& e) {
    complain("record", e.what());
    return kFailed;
  }
}

}  // namespace tailcap::cli
