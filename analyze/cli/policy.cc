// tailcap policy: live controls of a tracing system, replayed over a recording.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/log_options.h"
#include "analyze/cli/options/old_names.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/query/policy_file.h"
#include "analyze/query/yaml.h"
#include "analyze/redact/rules/fingerprint.h"
#include "analyze/report/policy/policy_report.h"
#include "analyze/report/policy/registry_json.h"
#include "analyze/report/words/number.h"
#include "analyze/views/policy/condition.h"
#include "analyze/views/policy/error_lines.h"
#include "analyze/views/policy/replay.h"
#include "formats/printable.h"

namespace tailcap::cli::policy_command {
namespace {

constexpr const char* kAbout =
    "tailcap policy replays the controls of a tracing system over a recording: when its conditions would have fired, "
    "which requests its sampling would have kept, what estimates from those are worth, and what its circuit breakers "
    "would have rejected.";

constexpr Definition kRegistry{"registry", 0, "FILE",
                               "also write the rate of each route at the end of the recording, with the time it was "
                               "decided, to this file: JSON, a policy that this command reads and replays",
                               0};

constexpr const char* kNotes =
    R"(A policy is YAML:

  conditions:
    - name: pay-slow
      route: POST /pay
      at_least: {p95: 200ms}
      over: 10s
      for: 5s
  sampling:
    rate: 1%
    keep: duration > 500ms || status >= 500
    adapt:
      - {when: pay-slow, route: POST /pay, rate: 100%}

Instead of a rate, sampling takes `formula: adaptive` or `formula: adaptive_clamped`: the rate of each route, computed
every 10 s from its load, errors and p95. The replay lays both formulas side by side.

docs/policy.md describes it, docs/policy-file.schema.json is its schema. `tailcap watch --conditions` evaluates the same
conditions while it is recorded.

examples:
  tailcap policy slow.tcap policy.yaml
  tailcap policy slow.tcap policy.yaml --json -o replay.json
  tailcap policy slow.tcap adaptive.yaml --registry rates.json
  tailcap policy --check policy.yaml
)";

struct Arguments {
  std::string file, policy, format, output, registry;
  Selection selection;
  LogOptions log_options;
  views::LogFiles logs;
  std::size_t width = 0, most = 20;
  bool check = false;
};

int check(const model::policy::Policy& policy, const report::Provenance& from) {
  std::string parts;
  const auto part = [&](std::size_t n, const char* one, const char* several) {
    if (n > 0) parts += (parts.empty() ? "" : ", ") + report::count_text(n, one, several);
  };
  part(policy.conditions.size(), "condition", "conditions");
  part(policy.sampling ? 1 : 0, "sampling", "samplings");
  part(policy.breakers.size(), "breaker", "breakers");
  std::puts((formats::printable(from.file) + ": " + parts).c_str());
  return kDone;
}

void write_registry(const Arguments& a, const model::policy::PolicyOutcome& outcome, const model::WallClock& clock) {
  const report::RegistryText registry = report::registry_json(outcome, clock, query::kMostYamlBytes);
  write_file(a.registry, registry.json, a.file);
  if (registry.left_out > 0)
    complain("policy", formats::printable(a.registry) + " lists " +
                           report::count_text(registry.listed, "route", "routes") + "; it has no room for " +
                           report::count_text(registry.left_out) + " more, or no names that differ.");
}

int run(const Arguments& a) {
  model::policy::PolicyOutcome outcome;
  pipeline::Options options = options_of(a.selection);
  options.study = false;
  model::policy::Policy policy;
  report::Provenance from;
  if (!read_yaml_file("policy", a.policy, [&](const std::string& text) {
        policy = query::policy_of(text);
        warn_of_old_names(policy);
        from = {std::filesystem::path(a.policy).filename().string(), redact::fingerprint(text), TAILCAP_VERSION};
      }))
    return kBadUsage;
  if (a.check) return check(policy, from);
  const bool lines_wanted = std::ranges::any_of(policy.conditions, model::policy::asks_for_lines);
  if (lines_wanted && !a.logs.given())
    throw UsageError("a condition has log_errors: --join-logs says whose lines it counts");
  if (!lines_wanted && a.logs.given()) throw UsageError("--join-logs is for conditions with log_errors; none has it");
  if (!a.registry.empty() && !policy.sampling)
    throw UsageError("--registry is for a policy with sampling; this has none");
  options.partition = policy::needs_account(policy);
  const pipeline::Analysis analysis = pipeline::analyze(a.file, options);
  std::optional<policy::ErrorLines> lines;
  if (lines_wanted) {
    lines = policy::error_lines_of(a.logs, analysis.table, analysis.study);
    for (const std::string& sentence : views::sentences_of(lines->counts)) complain("policy", sentence);
    if (lines->without_time > 0)
      complain("policy", report::count_text(lines->without_time, "line", "lines") +
                             " of level error or fatal without a known time count in no window.");
  }
  const auto& file = analysis.study.quality.file;
  try {
    outcome = policy::replay(policy, analysis.table, file.first, file.last, a.most, lines ? &*lines : nullptr,
                             policy::weight_of(analysis.study.quality.sampling));
  } catch (const policy::ReplayError& e) {
    complain("policy", e.what());
    return kFailed;
  }
  outcome.file = std::filesystem::path(a.file).filename();
  const std::string text =
      a.format == "json" ? report::policy_json(outcome, analysis.study.quality.clock, from)
                         : printed_document(report::policy_document(outcome, a.most), a.format, a.output, a.width);
  if (!a.registry.empty()) write_registry(a, outcome, analysis.study.quality.clock);
  write_file(a.output, text, a.file);
  if (outcome.requests == 0) return nothing_matches("policy", "request");
  return exit_code(analysis, "policy");
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("policy", kAbout);
  line.word("FILE", a.file, "no file given");
  line.word("POLICY", a.policy, nullptr);
  line.option(option::kCheck, &a.check,
              "only check POLICY, which is then the only argument; exit code 2 if it is wrong");
  line.group("In which form?");
  line.format(a.format, {"text", "md", "html", "json"}, &a.output);
  line.schema(report::policy_schema);
  line.option(option::kLimit, &a.most,
              "print at most N rows of a list: firings of a condition, routes, windows, missed requests, actions "
              "(default 20)");
  line.width(a.width, 120);
  line.option(kRegistry, &a.registry);
  add_routes(line, a.selection);
  add_log_options(line, a.log_options);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (a.check && (!a.policy.empty() || a.format != "text" || !a.output.empty() || !a.registry.empty()))
    throw UsageError("--check only reads POLICY: it takes no capture, no --format, no --output and no --registry");
  if (!a.registry.empty() && (a.registry == "-" ? a.output.empty() || a.output == "-" : a.registry == a.output))
    throw UsageError("the result and the registry go to the same file: give --registry another one");
  a.logs = log_files_of(a.log_options);
  if (a.check) a.policy = a.file;
  if (a.policy.empty()) throw UsageError("no policy given: a YAML file with conditions, sampling or breakers");
  return run(a);
}

}  // namespace tailcap::cli::policy_command
