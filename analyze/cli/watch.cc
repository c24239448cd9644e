// tailcap watch: takes snapshots of a recording in memory when requests meet a condition.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/keep/keep_summaries.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/old_names.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/recorder_program.h"
#include "analyze/cli/output/signals.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/query/policy_file.h"
#include "analyze/query/yaml.h"
#include "analyze/report/words/number.h"
#include "analyze/views/watch/live_sampling.h"
#include "analyze/views/watch/trigger.h"
#include "formats/printable.h"

namespace tailcap::cli::watch_command {
namespace {

using formats::Duration;
using namespace std::chrono_literals;

constexpr const char* kAbout =
    "tailcap watch looks at a recording that is in memory (tailcap record --last 60s), every few seconds, and takes a "
    "snapshot of it when requests meet a condition. With --summaries it keeps a summary of each day instead, of a "
    "recording in "
    "memory or in files.";

constexpr const char* kNotes =
    R"(Requests are judged once, when they have ended. It runs beside the recorder, with low priority, and looks only at the end of
what is in memory (--look-back): what takes longer than that is found by --unanswered. Expressions are those of
`tailcap requests --where`. Each snapshot holds all that is in memory and a note that says which request was the reason.
It ends with the recorder, or after --most snapshots; with --policy, it takes no more of them and goes on.

examples:
  tailcap watch flight.tcap -w 'duration > 250ms && path contains "/pay"'
  tailcap watch flight.tcap -w 'status >= 500' --share 1 --for 5s
  tailcap watch flight.tcap -w 'rpc.status == DEADLINE_EXCEEDED' --unanswered 2s
  tailcap watch flight.tcap --conditions conditions.yaml
  tailcap watch flight.tcap --policy policy.yaml
  tailcap watch flight.tcap --summaries /var/lib/tailcap/days
)";

constexpr Definition kShare{"share", 0, "PERCENT",
                            "snapshot when PERCENT of the requests match (default: when one does)", 0};
constexpr Definition kLeast{"least", 0, "N", "snapshot only when at least N requests match (default 1)", 1};
constexpr Definition kFor{"for", 0, "T",
                          "the condition must hold at every evaluation for T (default: at one evaluation)", 0};
constexpr Definition kUnanswered{"unanswered", 0, "T", "also snapshot when a request has had no answer for T", 0};
constexpr Definition kConditions{
    "conditions", 0, "FILE",
    "also snapshot when a condition of the policy in FILE fires, as `tailcap policy` replays it", 0};
constexpr Definition kLookBack{
    "look-back", 0, "T",
    "evaluate the last T of the recording (default: twice --every, and at least what the conditions need)", 0};
constexpr Definition kCooldown{"cooldown", 0, "T", "wait T after a snapshot before the next one (default 60s)", 0};
constexpr Definition kMost{"most", 0, "N", "end after N snapshots (default 10)", 1};

constexpr Definition kSummaries{
    "summaries", 0, "DIR",
    "instead of snapshots: keep a summary of each day (UTC) in the folder DIR, YYYY-MM-DD.tcs, to which each file of "
    "the recording is added when it is finished, or what a recording in memory has seen since the last check",
    0};
constexpr Definition kKeep{"keep", 0, "DAYS", "with --summaries: keep the last DAYS days (default 62)", 1};
constexpr Definition kKeepSize{
    "keep-size", 0, "SIZE", "with --summaries: remove the oldest days when all have more than SIZE (default 1GB)", 0};

constexpr Duration kLeastEvery = 200ms;
constexpr std::size_t kMostWhy = 240;
constexpr int kNice = 10;

struct Arguments {
  std::string file;
  std::vector<std::string> expressions;
  double share = 0;
  std::size_t least = 1, most = 10;
  Duration hold{}, unanswered{}, every = 5s, look_back{}, cooldown = 60s;
  std::string conditions_file, policy_file, summaries, keep_size;
  std::size_t keep = 62;
  model::policy::Policy policy;
};

void rest(Duration duration) {
  timespec left{};
  left.tv_sec = duration.count() / 1'000'000'000;
  left.tv_nsec = duration.count() % 1'000'000'000;
  while (!ended_by_signal() && nanosleep(&left, &left) != 0) {
  }
}

// An empty path: the recorder gives the file a name with the time.
RecorderAnswer snapshot(const Arguments& a, const std::string& path, const std::string& options) {
  return ask_recorder({"control", a.file, "snapshot", path + options});
}

// A file that exists only while it is read.
class Piece {
 public:
  explicit Piece(std::string path) : path_(std::move(path)) { remove(); }
  ~Piece() { remove(); }
  Piece(const Piece&) = delete;
  Piece& operator=(const Piece&) = delete;
  const std::string& path() const { return path_; }
  void remove() const {
    std::error_code error;
    std::filesystem::remove(path_, error);
  }

 private:
  const std::string path_;
};

bool take_snapshot(const Arguments& a, const std::string& what) {
  std::string why = "tailcap watch: " + what;
  std::replace(why.begin(), why.end(), '\n', ' ');
  why.resize(std::min(why.size(), kMostWhy));
  const RecorderAnswer said = snapshot(a, "", "\nwhy=" + why);
  if (said.code != 0) {
    complain("watch", said.text);
    return false;
  }
  const std::int64_t now = static_cast<std::int64_t>(std::time(nullptr)) * 1'000'000'000;
  std::printf("%s  %s\n  %s\n", report::utc_text(now, 0).c_str(), what.c_str(), formats::printable(said.text).c_str());
  std::fflush(stdout);
  return true;
}

// What is looked for. Each condition holds for a time of its own; after a snapshot all of them rest.
struct Watched {
  model::policy::PolicyCondition condition;
  policy::Hold hold;
  std::size_t decides =
      kNothing;  // this condition of the policy, and it decides the share: no snapshot is taken for it
  static constexpr std::size_t kNothing = SIZE_MAX;
};

// The share of connections that a policy asks for, as the recorder has it.
class Shares {
 public:
  Shares(const Arguments& a, const watch::LiveSampling& sampling) : a_(a), sampling_(sampling) {}
  ~Shares() {
    if (known_ && of_ != 1) (void)ask_recorder({"control", a_.file, "share", "1/1\nwhy=tailcap watch has ended"});
  }
  Shares(const Shares&) = delete;
  Shares& operator=(const Shares&) = delete;

  // True: the recorder has it. Otherwise it has said why not.
  bool apply() {
    const watch::WantedShare wanted = sampling_.wanted();
    if (known_ && wanted.of == of_) return true;
    std::string why = "why=" + wanted.why;
    why.resize(std::min(why.size(), kMostWhy));
    const RecorderAnswer said =
        ask_recorder({"control", a_.file, "share", "1/" + std::to_string(wanted.of) + "\n" + why});
    if (said.code != 0) {
      complain("watch", said.text);
      return false;
    }
    changed_ = std::chrono::steady_clock::now();
    known_ = true;
    of_ = wanted.of;
    const std::int64_t now = static_cast<std::int64_t>(std::time(nullptr)) * 1'000'000'000;
    std::printf("%s  %s\n  %s\n", report::utc_text(now, 0).c_str(), wanted.why.c_str(),
                formats::printable(said.text).c_str());
    std::fflush(stdout);
    return true;
  }
  // For this time before the recording's end the share has been the present one.
  Duration age() const {
    return known_ ? std::max<Duration>(std::chrono::steady_clock::now() - changed_ - kSettling, 1ms) : Duration::max();
  }

 private:
  static constexpr Duration kSettling = 100ms;
  const Arguments& a_;
  const watch::LiveSampling& sampling_;
  std::chrono::steady_clock::time_point changed_;
  std::uint32_t of_ = 1;
  bool known_ = false;
};

std::vector<Watched> watched_of(const Arguments& a, const watch::LiveSampling& sampling) {
  std::vector<Watched> out;
  if (!a.expressions.empty()) {
    using model::policy::Limit;
    model::policy::PolicyCondition condition;
    condition.where = a.expressions;
    condition.limits.push_back({.of = Limit::Of::count, .value = static_cast<double>(a.least)});
    if (a.share > 0) condition.limits.push_back({.of = Limit::Of::share, .value = a.share / 100});
    out.push_back({std::move(condition), policy::Hold(a.hold)});
  }
  for (std::size_t c = 0; c < a.policy.conditions.size(); ++c) {
    const auto& condition = a.policy.conditions[c];
    out.push_back({condition, policy::Hold(condition.hold), sampling.decides(c) ? c : Watched::kNothing});
  }
  return out;
}

int run(const Arguments& a) {
  watch::LiveSampling sampling(a.policy, std::filesystem::path(a.policy_file).filename().string());
  std::vector<Watched> watched = watched_of(a, sampling);
  Shares shares(a, sampling);
  policy::Hold hung(a.hold);
  watch::WatchTrigger trigger(a.cooldown);
  pipeline::Options options;
  options.study = false;
  options.threads = 1;
  for (const Watched& one : watched)
    options.partition = options.partition || policy::ConditionWindow(one.condition, a.every).needs_account();
  const Piece piece(a.file + ".watch");
  formats::Time since = formats::kNoTime;
  std::size_t taken = 0;
  bool answered = false;
  while (!ended_by_signal() && (taken < a.most || a.policy.sampling)) {
    const auto began = std::chrono::steady_clock::now();
    const Duration last = std::min(a.look_back, shares.age());
    const RecorderAnswer said = snapshot(a, piece.path(), "\nlast=" + std::to_string(last.count()));
    if (said.code != 0) {
      std::error_code error;
      const bool ended = !std::filesystem::exists(a.file + ".control", error);
      if (!answered || ended) {
        complain("watch", answered ? "the recorder has ended." : said.text);
        return answered ? kDone : kFailed;
      }
    } else {
      if (!answered && a.policy.sampling && !shares.apply()) return kFailed;
      answered = true;
      const pipeline::Analysis analysis = pipeline::analyze(piece.path(), options);
      piece.remove();
      const formats::Time until = analysis.study.quality.file.last;
      if (formats::known(until)) {
        // One snapshot has all reasons: it holds the same, whichever it is taken for.
        std::string why;
        const auto judge = [&](policy::Hold& hold, const watch::Sight& sight) {
          if (hold.held(sight.holds, until)) why += (why.empty() ? "" : "; ") + sight.what;
        };
        const double weight = policy::weight_of(analysis.study.quality.sampling);
        for (Watched& one : watched) {
          const watch::Sight sight =
              watch::look(analysis.table, one.condition, analysis.study.quality.file.first, since, until, weight);
          if (one.decides == Watched::kNothing)
            judge(one.hold, sight);
          else if (sight.known || (sight.holds && weight > 0))
            sampling.saw(one.decides, one.hold.held(sight.holds, until));
        }
        if (a.policy.sampling) (void)shares.apply();
        if (a.unanswered.count() > 0) judge(hung, watch::look_unanswered(analysis.table, a.unanswered, until));
        since = until;
        if (taken < a.most && trigger.fires(!why.empty(), until) && take_snapshot(a, why)) ++taken;
      }
    }
    rest(std::max<Duration>(a.every - (std::chrono::steady_clock::now() - began), kLeastEvery));
  }
  return kDone;
}

bool read_policy(Arguments& a) {
  return read_yaml_file("watch", a.policy_file, [&a](const std::string& text) {
    a.policy = query::policy_of(text);
    warn_of_old_names(a.policy);
    if (!a.policy.not_live.empty()) throw query::YamlError(a.policy.not_live);
    if (!a.policy.sampling) throw query::YamlError("1:1: there is no sampling; --conditions takes conditions only");
  });
}

bool read_conditions(Arguments& a) {
  return read_yaml_file("watch", a.conditions_file, [&a](const std::string& text) {
    a.policy = query::policy_of(text);
    warn_of_old_names(a.policy);
    if (std::ranges::any_of(a.policy.conditions, model::policy::asks_for_lines))
      throw query::YamlError(a.policy.not_live);
    if (!a.policy.not_watched.empty())
      throw query::YamlError(a.policy.not_watched +
                             " is no condition: --policy applies sampling, `tailcap policy` replays it and breakers");
    if (a.policy.conditions.empty()) throw query::YamlError("1:1: there are no conditions");
  });
}

int run_summaries(const Arguments& a, bool every_given) {
  KeptSummaries kept;
  kept.file = a.file;
  kept.folder = a.summaries;
  kept.bounds.days = a.keep;
  if (!a.keep_size.empty()) kept.bounds.bytes = byte_count_of("--keep-size", a.keep_size);
  if (every_given) kept.every = a.every;
  (void)setpriority(PRIO_PROCESS, 0, kNice);
  end_at_signals();
  return keep_summaries(kept);
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("watch", kAbout);
  line.word("FILE", a.file, "no recording given: the name that `tailcap record -o` was given");
  line.group("When is a snapshot taken?");
  line.option(option::kWhere, &a.expressions,
              "when a request matches, like 'status == 5xx && duration > 20ms'; may be repeated, all must match");
  line.option(kShare, &a.share);
  line.option(kLeast, &a.least);
  line.option(kFor, &a.hold);
  line.option(kUnanswered, &a.unanswered);
  line.option(kConditions, &a.conditions_file);
  line.group("How much is recorded?");
  line.option(option::kPolicy, &a.policy_file,
              "apply the sampler of this policy: its conditions decide which share of the connections is recorded; "
              "those that decide nothing take snapshots");
  line.group("How often?");
  line.option(option::kEvery, &a.every, "evaluate the condition every T (default 5s, or what the policy says)");
  line.option(kLookBack, &a.look_back);
  line.option(kCooldown, &a.cooldown);
  line.option(kMost, &a.most);
  line.group("Which summaries are kept?");
  line.option(kSummaries, &a.summaries);
  line.option(kKeep, &a.keep);
  line.option(kKeepSize, &a.keep_size);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!a.summaries.empty()) {
    if (!a.expressions.empty() || a.unanswered.count() != 0 || !a.conditions_file.empty() || !a.policy_file.empty())
      return wrong_usage(argv[0], "--summaries takes no snapshots: give conditions to another `tailcap watch`");
    if (line.given(option::kEvery) && a.every < kLeastEvery) return wrong_usage(argv[0], "--every is at least 200ms");
    return run_summaries(a, line.given(option::kEvery));
  }
  if (line.given(kKeep) || line.given(kKeepSize))
    return wrong_usage(argv[0], "--keep and --keep-size belong to --summaries");
  if (a.expressions.empty() && a.unanswered.count() == 0 && a.conditions_file.empty() && a.policy_file.empty())
    return wrong_usage(
        argv[0],
        "give a condition: --where EXPR, --unanswered T, --conditions FILE, or --policy FILE; or --summaries DIR");
  if (!a.conditions_file.empty() && !a.policy_file.empty())
    return wrong_usage(argv[0], "a policy has conditions: give --conditions or --policy");
  if (a.share < 0 || a.share > 100) return wrong_usage(argv[0], "--share is a number of per cent, from 0 to 100");
  if (!a.policy_file.empty() && !read_policy(a)) return kBadUsage;
  if (!a.conditions_file.empty() && !read_conditions(a)) return kBadUsage;
  for (const std::string& expression : a.expressions) warn_of_old_names(query::policy_filter(expression));
  if (!line.given(option::kEvery)) a.every = a.policy.conditions.empty() ? 5s : a.policy.every;
  if (a.every < kLeastEvery) return wrong_usage(argv[0], "--every is at least 200ms");
  Duration least = a.every;
  for (const auto& condition : a.policy.conditions) least = std::max(least, condition.over);
  if (a.look_back.count() == 0) a.look_back = std::max(2 * a.every, least + a.every);
  if (a.look_back < least)
    return wrong_usage(argv[0], "--look-back is at least as long as --every, and as the windows of the policy");
  (void)setpriority(PRIO_PROCESS, 0, kNice);
  end_at_signals();
  return run(a);
}

}  // namespace tailcap::cli::watch_command
