// tailcap audit: network policies, held against the connections of a recording.
#include "analyze/audit/audit.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/port_ranges.h"
#include "analyze/cli/options/yaml_file.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/printed_document.h"
#include "analyze/model/sampling/sampling.h"
#include "analyze/pipeline/replay.h"
#include "analyze/query/audit/network_policy_file.h"
#include "analyze/query/yaml.h"
#include "analyze/redact/rules/fingerprint.h"
#include "analyze/report/audit/audit_report.h"
#include "formats/bounds/read_limits.h"
#include "formats/printable.h"

namespace tailcap::cli::audit_command {
namespace {

using model::audit::ConnectionVerdict;

constexpr const char* kAbout =
    "tailcap audit holds network policies against the TCP connections of a recording: which are allowed, which are "
    "denied, and by which policy. It enforces nothing. What the capture does not say enough about is unknown.";

constexpr const char* kNotes =
    R"(A policy is YAML: NetworkPolicy of Kubernetes (networking.k8s.io/v1), or an allow-list:

  allow_list: production
  default: deny
  rules:
    - name: web-to-shop
      from: {process: nginx}
      to: {process: shop, port: [8080, 9000-9010]}
    - name: shop-to-db
      from: {process: shop}
      to: {address: 10.0.0.0/8, port: 5432}

docs/audit.md describes it, docs/network-policy.schema.json is its schema, docs/audit.schema.json that of the output.

Exit codes: 0 all connections are allowed, 3 one is denied or a port is exposed, 4 undecided: a verdict is unknown, the
capture is incomplete, or there is no connection; 1 and 2 as in all commands.

examples:
  tailcap audit shop.tcap --policies policies/
  tailcap audit shop.tcap --policies netpol.yaml --pods pods.yaml --default deny
  tailcap audit shop.tcap --expose 3306,5432
  tailcap audit shop.tcap --policies policies/ --json | jq '.groups[] | select(.verdict == "denied")'
)";

constexpr Definition kPolicies{
    "policies", 0, "FILE",
    "read network policies from FILE: a file, or a directory with *.yaml, *.yml and *.json (repeatable)", 0};
constexpr Definition kPods{"pods", 0, "FILE", "read the addresses and labels of pods from FILE (YAML)", 0};
constexpr Definition kDefault{"default", 0, "", "verdict on connections that no policy selects (default allow)", 0};
constexpr Definition kExpose{"expose", 0, "PORTS",
                             "flag connections to these ports, like 3306,6000-6010, that were accepted from another "
                             "address than the machine's own",
                             0};
constexpr Definition kCsv{"csv", 0, nullptr, "the same as --format csv: a row for each group of connections", 0};

constexpr std::size_t kMostFiles = 1000;

struct Arguments {
  std::string file, pods, otherwise = "allow", expose, format, output, undecided = "warn";
  std::vector<std::string> policies;
  std::size_t width = 0, most = 20;
};

// A directory's files, in order of their names.
std::vector<std::string> files_of(const std::string& path) {
  namespace fs = std::filesystem;
  if (!fs::is_directory(path)) return {path};
  std::vector<std::string> out;
  for (const fs::directory_entry& entry : fs::directory_iterator(path)) {
    const std::string ending = entry.path().extension().string();
    if ((ending != ".yaml" && ending != ".yml" && ending != ".json") || !entry.is_regular_file()) continue;
    if (out.size() >= kMostFiles)
      throw std::runtime_error("more than 1,000 files with policies are in " + formats::printable(path));
    out.push_back(entry.path().string());
  }
  if (out.empty())
    throw std::runtime_error("no file that ends in .yaml, .yml or .json is in " + formats::printable(path));
  std::sort(out.begin(), out.end());
  return out;
}

class Inputs {
 public:
  // False: a file is wrong, and that was said.
  bool read(const Arguments& a) {
    for (const std::string& path : a.policies)
      for (const std::string& file : files_of(path))
        if (!read_policies(file)) return false;
    return a.pods.empty() || read_yaml_file("audit", a.pods, [&](const std::string& text) {
             note(a.pods, text);
             pods = query::pods_of(text);
           });
  }

  audit::AuditQuestion question;
  model::audit::Pods pods;
  std::vector<report::Provenance> from;

 private:
  bool read_policies(const std::string& path) {
    const std::string name = std::filesystem::path(path).filename().string();
    return read_yaml_file("audit", path, [&](const std::string& text) {
      note(path, text);
      for (auto& policy : query::network_policies_of(text, name)) {
        rules_ += policy.rules.size();
        if (question.policies.size() >= query::kMostNetworkPolicies || rules_ > query::kMostNetworkRules)
          throw query::YamlError("1:1: with this file there are more than 1,000 policies or 10,000 rules");
        const auto same = [&](const auto& other) { return other.name == policy.name && other.kind == policy.kind; };
        if (std::any_of(question.policies.begin(), question.policies.end(), same))
          throw query::YamlError("1:1: the policy " + formats::printable(policy.name) + " was given before");
        question.policies.push_back(std::move(policy));
      }
    });
  }
  void note(const std::string& path, const std::string& text) {
    from.push_back({std::filesystem::path(path).filename().string(), redact::fingerprint(text), TAILCAP_VERSION});
  }

  std::size_t rules_ = 0;
};

int code_of(const model::audit::Audit& found, const std::string& undecided) {
  if (found.of(ConnectionVerdict::denied).count > 0 || found.exposed > 0) return kGateFails;
  const bool whole = !found.damaged && !found.some_left_out && formats::stopped_captures().empty();
  if (found.connections() == 0) return nothing_matches("audit", "TCP connection");
  if (whole && found.of(ConnectionVerdict::unknown).count == 0 && found.exposed_unknown == 0) return kDone;
  return undecided == "pass" ? kDone : undecided == "fail" ? kGateFails : kNoAnswer;
}

std::string text_of(const Arguments& a, const model::audit::Audit& found, const std::vector<report::Provenance>& from) {
  const std::string name = std::filesystem::path(a.file).filename().string();
  if (a.format == "json") return report::audit_json(found, name, from, TAILCAP_VERSION);
  if (a.format == "csv") return report::audit_csv(found);
  return printed_document(report::audit_document(found, name, a.most), a.format, a.output, a.width);
}

int run(const Arguments& a, std::vector<model::audit::PortRange> exposed) {
  Inputs inputs;
  if (!inputs.read(a)) return kBadUsage;
  inputs.question.otherwise = a.otherwise == "deny" ? ConnectionVerdict::denied : ConnectionVerdict::allowed;
  inputs.question.exposed_ports = std::move(exposed);
  pipeline::Replay replay(a.file);
  const formats::Time begin = replay.summary().first;
  const bool sampled = model::sampling_of(replay.preamble().notes).some();
  audit::Ends ends;
  replay.each([&](const formats::Event& event) { ends.push(event); });
  model::audit::Audit found = audit::audit(std::move(inputs.question), inputs.pods, ends);
  found.begin = begin;
  found.some_left_out = found.some_left_out || sampled;
  write_file(a.output, text_of(a, found, inputs.from), a.file);
  return code_of(found, a.undecided);
}

}  // namespace

int run(int argc, char** argv) {
  Arguments a;
  bool csv = false;
  CommandLine line("audit", kAbout);
  line.word("FILE", a.file, "no file given");
  line.group("Against which policies?");
  line.option(kPolicies, &a.policies);
  line.option(kPods, &a.pods);
  line.choice(kDefault, a.otherwise, {"allow", "deny"});
  line.option(kExpose, &a.expose);
  line.choice(option::kUndecided, a.undecided, {"pass", "fail", "warn"});
  line.group("In which form?");
  line.format(a.format, {"text", "md", "html", "json", "csv"}, &a.output);
  line.option(kCsv, &csv);
  line.schema(report::audit_schema);
  line.option(option::kLimit, &a.most, "print at most N rows of a list (default 20); JSON and CSV have all");
  line.width(a.width, 120);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (csv && (line.given(option::kFormat) || line.given(option::kJson)))
    throw UsageError("--csv is a form: give no other one");
  if (csv) a.format = "csv";
  if (a.policies.empty() && a.expose.empty())
    throw UsageError("--policies names the file or the directory with network policies; --expose needs none");
  return run(a, port_ranges_of("--expose", a.expose));
}

}  // namespace tailcap::cli::audit_command
