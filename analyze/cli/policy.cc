// tailcap policy: live controls of a tracing system, replayed over a recording.
#include <cstdio>
#include <filesystem>
#include <string>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/old_names.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/cli/output/terminal.h"
#include "analyze/query/policy_file.h"
#include "analyze/redact/rules/fingerprint.h"
#include "analyze/report/policy/policy_report.h"
#include "analyze/report/words/number.h"
#include "analyze/views/policy/replay.h"
#include "formats/printable.h"

namespace tailcap::cli::policy_command {
namespace {

constexpr const char* kAbout =
    "tailcap policy replays the controls of a tracing system over a recording: when its conditions would have fired, "
    "which requests its sampling would have kept, what estimates from those are worth, and what its circuit breakers "
    "would have rejected.";

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

docs/policy.md describes it, docs/policy-file.schema.json is its schema. `tailcap watch --conditions` evaluates the same
conditions while it is recorded.

examples:
  tailcap policy slow.tcap policy.yaml
  tailcap policy slow.tcap policy.yaml --json -o replay.json
  tailcap policy --check policy.yaml
)";

struct Arguments {
  std::string file, policy, format, output;
  Selection selection;
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
  options.partition = policy::needs_account(policy);
  const pipeline::Analysis analysis = pipeline::analyze(a.file, options);
  const auto& file = analysis.study.quality.file;
  try {
    outcome = policy::replay(policy, analysis.table, file.first, file.last, a.most);
  } catch (const policy::ReplayError& e) {
    complain("policy", e.what());
    return kFailed;
  }
  outcome.file = std::filesystem::path(a.file).filename();
  const std::string text =
      a.format == "json" ? report::policy_json(outcome, analysis.study.quality.clock, from)
                         : printed_document(report::policy_document(outcome, a.most), a.format, a.output, a.width);
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
              "print at most N rows of a list: firings of a condition, routes, missed requests (default 20)");
  line.option(option::kWidth, &a.width, "columns of the text (default: the terminal's, else 120)");
  add_routes(line, a.selection);
  line.notes(kNotes);
  a.width = terminal_width(120);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (a.check && (!a.policy.empty() || a.format != "text" || !a.output.empty()))
    throw UsageError("--check only reads POLICY: it takes no capture, no --format and no --output");
  if (a.check) a.policy = a.file;
  if (a.policy.empty()) throw UsageError("no policy given: a YAML file with conditions, sampling or breakers");
  return run(a);
}

}  // namespace tailcap::cli::policy_command
