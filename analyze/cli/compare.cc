// tailcap compare: repeated runs of two versions; a gate for CI.
#include "analyze/compare/compare.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/scratch.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/compare/confirm.h"
#include "analyze/compare/plan/plan.h"
#include "analyze/query/gate_expression.h"
#include "analyze/report/compare/compare.h"
#include "analyze/report/compare/plan.h"
#include "analyze/views/compare/run_of.h"
#include "analyze/views/compare/slow_pairs.h"
#include "formats/bounds/read_limits.h"
#include "formats/printable.h"

namespace tailcap::cli::compare_command {
namespace {

using model::gate::Comparison;
using model::gate::GateVerdict;
using model::gate::Run;

constexpr const char* kAbout =
    "tailcap compare says whether a new version is slower than the base, from repeated recordings of both: for every "
    "route percentiles, errors, where the time went, and calls per request. A change is a failure only where runs of "
    "both sides show it beyond their own variation; what cannot be decided is neither red nor green, and says what is "
    "missing.";

constexpr const char* kNotes =
    R"(BASE and NEW are captures, one for each run, or folders of captures. Record at least five runs a side, alternately
(ABBA), on one machine, with the same open-loop load; tailcap gate does. Expressions of --fail-on name a metric, a
route and an increase: p50, p95, p99, mean, own_p99 and own_mean (without waits for a CPU), errors, client_errors;
calls, same_calls, connects, tls_handshakes, lookups, retries, failed_calls, request_bytes, response_bytes, waits,
wakeups, collections, allocations, process_cpu, memory per request; and every label, like
lock.futex (its time), and waits.lock.futex (how many waits began under it). docs/compare.md
describes the methods.

Exit codes: 0 all gates pass, 3 a gate fails, 4 undecided; 1 and 2 as in all commands.

examples:
  tailcap compare base-*.tcap -- new-*.tcap
  tailcap compare base/ -- new/ --fail-on 'p99(POST /pay) > +10%' --fail-on 'calls(/pay) > +0'
  tailcap compare base/ -- new/ --format md -o comment.md
  tailcap compare --self base/
  tailcap compare old.tcap -- new.tcap --noise earlier/
)";

constexpr Definition kFailOn{"fail-on", 0, "EXPR",
                             "fail where this increase is found, like 'p99(/pay) > +10%', 'errors(*) > +0.5pt', "
                             "'calls(/pay) > +0' (repeatable; default: p99 +10 %, own_p99 and own_mean +5 %, errors "
                             "+0.25pt, counts that never vary, CPU time, memory)",
                             0};
constexpr Definition kMinRuns{"min-runs", 0, "N", "decide gates from N runs a side (default 5)", 2};
constexpr Definition kStrict{"strict", 0, nullptr, "fail only where the whole interval is above the threshold", 0};
constexpr Definition kSequential{"allow-sequential", 0, nullptr,
                                 "decide although the runs do not alternate: drift of the machine looks like a change",
                                 0};
constexpr Definition kSelf{"self", 0, nullptr,
                           "compare the first half of the base's runs with the second half: the noise of this machine. "
                           "Such a comparison cannot fail",
                           0};

constexpr Definition kScreened{"screened", 0, "N",
                               "the first N runs of each side, in time, are those that flagged what is compared now: a "
                               "gate fails where all runs show the change and the later ones alone show it again",
                               1};
constexpr Definition kPlan{"plan", 0, "T",
                           "print what `tailcap gate` could find on this machine in 2, 5 and 10 minutes where a run "
                           "takes T, by the noise of these runs of one version. As many runs a side flag as --screened "
                           "says (default 5)",
                           0};
constexpr Definition kMethod{"method", 0, "M",
                             "runs-welch: several runs a side; blocks: one long capture a side; auto: by the captures, "
                             "and those of a duet in pairs",
                             0};
constexpr Definition kNoise{"noise", 0, "FILE",
                            "with one capture a side: other runs of one version, as a capture or a folder of captures. "
                            "They show how runs vary; a verdict needs at least 8 (repeatable)",
                            0};

constexpr const char* kDivider = "\x01";  // in place of "--", which the parser of options would swallow

struct Arguments {
  std::vector<std::string> words, fail_on, noise;
  std::string format, output, undecided = "warn", method = "auto";
  Selection selection;
  formats::Duration warm_up{}, plan{};  // plan: that a run takes; 0: none is made
  std::size_t width = 0;
  model::gate::CompareOptions options;
};

std::vector<std::string> captures_of(const std::string& word) {
  std::error_code error;
  if (!std::filesystem::is_directory(word, error)) return {word};
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::directory_iterator(word))
    if (entry.path().extension() == ".tcap") out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  if (out.empty()) throw UsageError("there is no capture (*.tcap) in " + formats::printable(word));
  return out;
}

// Base and new.
std::vector<std::vector<std::string>> sides_of(const Arguments& a) {
  std::vector<std::vector<std::string>> sides(1);
  for (const std::string& word : a.words) {
    if (word == kDivider) {
      sides.emplace_back();
      continue;
    }
    const auto files = captures_of(word);
    sides.back().insert(sides.back().end(), files.begin(), files.end());
  }
  const bool self = a.options.self;
  if (sides.size() != (self ? 1 : 2) || std::any_of(sides.begin(), sides.end(), [](auto& s) { return s.empty(); }))
    throw UsageError(self ? "--self takes the captures of one side"
                          : "captures of both sides are needed, like base/ -- new/");
  return sides;
}

int code_of(const Comparison& c, const Arguments& a) {
  if (!formats::stopped_captures().empty()) return kNoAnswer;
  if (a.options.self || c.verdict == GateVerdict::pass) return kDone;
  if (c.verdict == GateVerdict::fail) return kGateFails;
  return a.undecided == "pass" ? kDone : a.undecided == "fail" ? kGateFails : kNoAnswer;
}

// What is said of all runs together.
Comparison comparison_of(std::vector<std::vector<Run>>& runs, const Arguments& a) {
  if (a.plan.count() > 0)
    return compare::plan(std::move(runs[0]), a.options, static_cast<double>(a.plan.count()) / 1e9);
  if (a.options.screened > 0) return compare::confirm(runs[0], runs[1], a.options);
  return compare::compare(runs[0], runs[1], a.options, runs[2]);
}

int run(Arguments& a, std::optional<double> warm_up) {
  for (const std::string& text : a.fail_on) a.options.gates.push_back(query::gate_of(text));
  auto sides = sides_of(a);
  if (!a.noise.empty() && (a.options.self || sides[0].size() != 1 || sides[1].size() != 1))
    throw UsageError("--noise is for one capture a side: several runs show themselves how they vary");
  if (a.plan.count() > 0 && !a.options.self) throw UsageError("--plan is for runs of one version: --self");
  if (a.options.screened > 0 && a.plan.count() == 0 && (a.options.self || !a.noise.empty()))
    throw UsageError("--screened is for several runs of two versions");
  if (a.method != "auto")
    a.options.method = a.method == "blocks" ? model::gate::Method::blocks : model::gate::Method::runs_welch;
  sides.resize(3);
  for (const std::string& word : a.noise) {
    const auto files = captures_of(word);
    sides[2].insert(sides[2].end(), files.begin(), files.end());
  }
  std::vector<std::vector<Run>> runs(3);
  std::vector<model::ExchangeId> wrong;
  for (std::size_t side = 0; side < sides.size(); ++side)
    for (const std::string& file : sides[side]) {
      views::RunRead read = views::read_run(file, options_of(a.selection), warm_up);
      wrong.insert(wrong.end(), read.wrong.begin(), read.wrong.end());
      runs[side].push_back(std::move(read.run));
    }
  if (a.options.self && a.plan.count() == 0) {
    std::stable_sort(runs[0].begin(), runs[0].end(), [](const Run& x, const Run& y) { return x.begin < y.begin; });
    const auto half = runs[0].begin() + static_cast<std::ptrdiff_t>(runs[0].size() / 2);
    runs[1].assign(std::make_move_iterator(half), std::make_move_iterator(runs[0].end()));
    runs[0].erase(half, runs[0].end());
    a.options.allow_sequential = true;
    a.options.min_runs = 2;
  }
  if (a.options.screened > 0)
    for (std::size_t side = 0; side < 2; ++side)
      std::stable_sort(runs[side].begin(), runs[side].end(),
                       [](const Run& x, const Run& y) { return x.begin < y.begin; });
  std::vector<Run*> all;
  for (auto& side : runs)
    for (Run& one : side) all.push_back(&one);
  views::name_routes(all);
  const Comparison comparison = comparison_of(runs, a);
  const auto pairs_to_show = [&] {
    std::vector<report::SlowPair> pairs = views::slow_pairs(comparison, runs[0], runs[1]);
    for (report::SlowPair& pair : pairs)
      for (auto* request : {&pair.base, &pair.fresh}) request->path = given_path(request->path);
    return pairs;
  };
  const bool printed = a.output.empty() || a.output == "-";
  const auto document = [&](auto& of_comparison) {
    return comparison.plan.made ? report::plan_document(comparison) : of_comparison();
  };
  const auto whole = [&] { return report::compare_document(comparison); };
  const auto paged = [&] { return report::compare_document(comparison, pairs_to_show()); };
  const auto comment = [&] { return report::comment_document(comparison); };
  const std::string text = a.format == "json" ? report::compare_json(comparison, TAILCAP_VERSION)
                           : a.format == "junit"
                               ? report::compare_junit(comparison, a.undecided == "fail", TAILCAP_VERSION)
                           : a.format == "md"   ? render::to_markdown(document(comment))
                           : a.format == "html" ? render::to_html(document(paged))
                                                : render::to_text(document(whole), a.width, printed && coloured());
  write_file(a.output, text, sides[0].front());
  if (const int failed = exit_code(false, wrong, "compare"); failed == kFailed) return failed;
  return code_of(comparison, a);
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("compare", kAbout);
  line.words("BASE... -- NEW...", a.words, 1, "no captures given");
  line.group("What fails?");
  line.option(kFailOn, &a.fail_on);
  line.option(kStrict, &a.options.strict);
  line.choice(option::kUndecided, a.undecided, {"pass", "fail", "warn"});
  line.group("Which runs count?");
  line.option(option::kWarmUp, &a.warm_up);
  line.option(kMinRuns, &a.options.min_runs);
  line.option(kScreened, &a.options.screened);
  line.option(kSequential, &a.options.allow_sequential);
  line.option(kSelf, &a.options.self);
  line.option(kPlan, &a.plan);
  line.option(kNoise, &a.noise);
  line.choice(kMethod, a.method, {"auto", "runs-welch", "blocks"});
  line.group("In which form?");
  line.format(a.format, {"text", "md", "json", "html", "junit"}, &a.output,
              "md: at most 25 lines, for a comment on a change; junit: XML that CI systems show");
  line.schema(report::compare_schema);
  line.width(a.width, 120);
  add_routes(line, a.selection);
  line.notes(kNotes);
  std::vector<char*> words(argv, argv + argc);
  std::string divider = kDivider;
  for (char*& word : words)
    if (std::strcmp(word, "--") == 0) word = divider.data();
  if (const auto code = line.parse(argc, words.data())) return *code;
  return run(a,
             line.given(option::kWarmUp) ? std::optional(static_cast<double>(a.warm_up.count()) / 1e9) : std::nullopt);
}

}  // namespace tailcap::cli::compare_command
