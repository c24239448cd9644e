// tailcap assert: recordings held against limits.
#include <cstdio>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/selection.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/export/alert_rules.h"
#include "analyze/query/slo_file.h"
#include "analyze/redact/rules/fingerprint.h"
#include "analyze/report/compare/assertion.h"
#include "analyze/report/words/number.h"
#include "analyze/views/compare/objectives.h"
#include "analyze/views/compare/run_of.h"
#include "formats/bounds/read_limits.h"
#include "formats/printable.h"

namespace tailcap::cli::assert_command {
namespace {

using model::gate::Assertion;
using model::gate::GateVerdict;

constexpr const char* kAbout =
    "tailcap assert holds recordings against limits: percentiles, errors, time under a label, calls per request. A "
    "limit is kept or broken only where the whole 95 % interval lies on one side of it; too little data is undecided. "
    "The same limits make rules for Prometheus.";

constexpr const char* kNotes =
    R"(The limits are YAML:

  slos:
    - route: POST /pay
      at_most: {p99: 200ms, errors: 0.5%, lock.futex: 10%, calls: 3}

docs/assert.md describes it, docs/slo.schema.json is its schema. Every capture has to keep every limit.

Exit codes: 0 all limits are kept, 3 one is broken, 4 undecided; 1 and 2 as in all commands.

examples:
  tailcap assert slow.tcap --slo slo.yaml
  tailcap assert run-*.tcap --slo slo.yaml --explain
  tailcap assert run-*.tcap --slo slo.yaml --observed
  tailcap assert --slo slo.yaml --check
  tailcap assert --slo slo.yaml --format prometheus-rules -o rules.yaml
)";

constexpr Definition kObserved{"observed", 0, nullptr,
                               "decide by the value of the capture where the limit lies within the interval: a limit "
                               "that is kept here can be broken in the next recording",
                               0};

struct Arguments {
  std::vector<std::string> files;
  std::string slo, format, output, undecided = "warn";
  Selection selection;
  formats::Duration warm_up{};
  std::size_t width = 0;
  bool explain = false, observed = false, check = false;
};

struct Limits {
  std::vector<model::gate::Slo> slos;
  report::Provenance from;
};

int check(const Limits& limits) {
  std::size_t count = 0;
  for (const auto& slo : limits.slos) count += slo.objectives.size();
  std::puts((formats::printable(limits.from.file) + ": " + report::count_text(count, "limit", "limits")).c_str());
  return kDone;
}

int write_rules(const Arguments& a, const Limits& limits) {
  const exports::AlertRules rules =
      exports::alert_rules(limits.slos, formats::printable(limits.from.file) + " (SHA-256 " + limits.from.sha256 +
                                            ") by tailcap " + limits.from.tailcap);
  write_file(a.output, rules.yaml, a.slo);
  for (const std::string& limit : rules.limits) complain("assert", limit);
  return rules.alerts > 0 ? kDone : kNoAnswer;
}

int hold_against(const Arguments& a, Limits limits) {
  std::vector<model::gate::Run> runs;
  std::vector<model::ExchangeId> wrong;
  for (const std::string& file : a.files) {
    views::RunRead read = views::read_run(file, options_of(a.selection), static_cast<double>(a.warm_up.count()) / 1e9);
    wrong.insert(wrong.end(), read.wrong.begin(), read.wrong.end());
    runs.push_back(std::move(read.run));
  }
  std::vector<model::gate::Run*> all;
  for (auto& one : runs) all.push_back(&one);
  views::name_routes(all);
  const Assertion assertion = views::assert_slos(
      std::move(limits.slos), runs, a.observed ? model::gate::DecideBy::observed : model::gate::DecideBy::interval);
  const std::string text =
      a.format == "json" ? report::assertion_json(assertion, limits.from)
      : a.format == "junit"
          ? report::assertion_junit(assertion, a.undecided == "fail", limits.from)
          : printed_document(report::assertion_document(assertion, a.explain), a.format, a.output, a.width);
  write_file(a.output, text, a.files.front());
  if (const int failed = exit_code(false, wrong, "assert"); failed == kFailed) return failed;
  if (assertion.verdict == GateVerdict::fail) return kGateFails;
  if (!formats::stopped_captures().empty()) return kNoAnswer;
  if (assertion.verdict == GateVerdict::pass) return kDone;
  return a.undecided == "pass" ? kDone : a.undecided == "fail" ? kGateFails : kNoAnswer;
}

int run(const Arguments& a) {
  Limits limits;
  if (!read_yaml_file("assert", a.slo, [&](const std::string& text) {
        limits.slos = query::slos_of(text);
        limits.from = {std::filesystem::path(a.slo).filename().string(), redact::fingerprint(text), TAILCAP_VERSION};
      }))
    return kBadUsage;
  if (a.check) return check(limits);
  if (a.format == "prometheus-rules") return write_rules(a, limits);
  return hold_against(a, std::move(limits));
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  CommandLine line("assert", kAbout);
  line.words("FILE...", a.files, 0, nullptr);
  line.group("Which limits?");
  line.option(option::kSlo, &a.slo);
  line.option(option::kExplain, &a.explain, "also print the limits that are kept, with what was evaluated");
  line.option(kObserved, &a.observed);
  line.choice(option::kUndecided, a.undecided, {"pass", "fail", "warn"});
  line.option(option::kCheck, &a.check, "only check the file of limits, without a capture; exit code 2 if it is wrong");
  line.group("Which requests?");
  line.option(option::kWarmUp, &a.warm_up, "leave out the first T of every capture (default 0)");
  line.group("In which form?");
  line.format(a.format, {"text", "md", "json", "junit", "prometheus-rules"}, &a.output,
              "prometheus-rules: recording rules and alerts of the same limits, as YAML; without a capture");
  line.schema(report::assertion_schema);
  line.width(a.width, 120);
  add_routes(line, a.selection);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (a.slo.empty()) throw UsageError("--slo names the file with the limits");
  const bool rules = a.format == "prometheus-rules";
  if (a.check && (rules || a.format != "text" || !a.output.empty()))
    throw UsageError("--check only reads the limits: it takes no --format and no --output");
  if ((a.check || rules) && !a.files.empty())
    throw UsageError(std::string(a.check ? "--check" : "--format prometheus-rules") + " takes no captures");
  if (!a.check && !rules && a.files.empty()) throw UsageError("no file given");
  return run(a);
}

}  // namespace tailcap::cli::assert_command
