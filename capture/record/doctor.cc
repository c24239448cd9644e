#include "capture/record/doctor.h"

#include <linux/capability.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/control/amount.h"
#include "capture/go/describe.h"
#include "capture/host/kernel.h"
#include "capture/probes/probes.h"
#include "capture/probes/self_test.h"
#include "capture/scan/target_files.h"
#include "capture/tls/describe.h"
#include "capture/tls/libraries.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::capture {

using formats::HookTier;

namespace {

constexpr const char* kDoctorUsage =
    R"(tailcap doctor says whether this machine can record, a line per requirement.

usage: tailcap doctor [OPTION...]

  -p, --pid PID           also: which sockets of this process would be recorded; what its program offers, if it is Go's
      --format text|json  json: {"schema", "possible", "checks": [{"name", "verdict", "finding", "repair"}]}
      --json              the same as --format json

Verdicts: OK; WARN, recording works but for what is said; FAIL, recording is impossible.
Exit codes: 0 recording is possible, 1 it is not, 2 bad usage.

examples:
  tailcap doctor
  tailcap doctor -p $(pidof -s nginx)
)";

constexpr int kJsonSchema = 3;  // docs/JSON.md: one number for both programs

enum class Verdict { ok, warn, fail };

struct Check {
  std::string name;
  Verdict verdict;
  std::string finding;
  std::string repair;  // what to do; empty if nothing is necessary
};

const char* word(Verdict verdict) { return verdict == Verdict::ok ? "OK" : verdict == Verdict::warn ? "WARN" : "FAIL"; }

Check check_kernel() {
  const std::string release = kernel_release();
  if (machine() != "x86_64" && machine() != "aarch64")
    return {"kernel", Verdict::fail, machine() + ": only x86-64 and arm64 are built", "record on one of these"};
  const ProgramSet programs = program_set();
  if (programs == ProgramSet::full) return {"kernel", Verdict::ok, release, ""};
  const bool some = programs == ProgramSet::older;
  return {"kernel", some ? Verdict::warn : Verdict::fail,
          release + (some ? " lacks helpers of Linux 6.1 for kernel programs" : ": too old"),
          "a kernel of 6.1 or later, such as Debian 12's, records all"};
}

// What is recorded on x86-64 only.
std::vector<Check> check_processor() {
  if (machine() != "aarch64") return {};
  return {{"arm64", Verdict::warn,
           "not recorded: functions of Python, PHP and JavaScript, values on Go's channels, stacks of preempted "
           "goroutines; a function that has no frame hides its caller in stacks",
           "all else is recorded"}};
}

Check check_types() {
  try {
    const KernelTypes types;
    return {"type information", Verdict::ok, "/sys/kernel/btf/vmlinux", ""};
  } catch (const std::exception&) {
    return {"type information", Verdict::fail, std::string("no /sys/kernel/btf/vmlinux: ") + std::strerror(errno),
            "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y (those of Debian 11 and later are)"};
  }
}

Check check_rights() {
  const bool admin = capable(CAP_SYS_ADMIN);
  if (admin || (capable(CAP_BPF) && capable(CAP_PERFMON))) {
    if (!capable(CAP_SYS_PTRACE))
      return {"capabilities", Verdict::warn,
              "CAP_SYS_PTRACE is missing: executables and mappings of other users' processes stay unknown",
              "run as root"};
    return {"capabilities", Verdict::ok, admin ? "CAP_SYS_ADMIN" : "CAP_BPF and CAP_PERFMON", ""};
  }
  return {"capabilities", Verdict::fail, "neither CAP_SYS_ADMIN nor both of CAP_BPF and CAP_PERFMON",
          "sudo tailcap doctor; in a container: --cap-add BPF --cap-add PERFMON --cap-add SYS_PTRACE"};
}

Check check_pid_namespace() {
  try {
    require_initial_pid_namespace();
    return {"pid namespace", Verdict::ok, "the machine's", ""};
  } catch (const std::exception&) {
    return {"pid namespace", Verdict::fail,
            "one of its own, as in a container: processes have other numbers in the kernel",
            "docker run --pid=host, hostPID: true in Kubernetes, or outside of the container"};
  }
}

Check check_tracefs() {
  for (const char* path : {"/sys/kernel/tracing/events", "/sys/kernel/debug/tracing/events"}) {
    std::error_code error;
    if (std::filesystem::exists(path, error)) return {"tracefs", Verdict::ok, path, ""};
  }
  return {"tracefs", Verdict::warn, "not mounted; what is recorded now does not need it, other tracers do",
          "mount -t tracefs nodev /sys/kernel/tracing"};
}

Check check_tier() {
  try {
    const auto tier = choose_tier(HookTier::unknown, KernelTypes());
    switch (tier.tier) {
      case HookTier::a:
        return {"hook tier", Verdict::ok, "a: " + tier.reason, ""};
      case HookTier::c:
        return {"hook tier", Verdict::warn, "c: " + tier.reason + "; every system call of the machine pays for it",
                "a kernel of 6.3 or later gives tier a"};
      default:
        return {"hook tier", Verdict::fail, tier.reason,
                std::string("use a kernel of ") + kOldestKernelName + " or later"};
    }
  } catch (const std::exception&) {
    return {"hook tier", Verdict::fail, "not known without type information", "see type information"};
  }
}

Check check_lockdown() {
  std::string line;
  if (!std::getline(std::ifstream("/sys/kernel/security/lockdown"), line)) return {"lockdown", Verdict::ok, "none", ""};
  if (line.find("[confidentiality]") != line.npos)
    return {"lockdown", Verdict::fail, "confidentiality: kernel programs may not read memory",
            "boot with lockdown=integrity or none"};
  return {"lockdown", Verdict::ok, line, ""};
}

Check check_ring() {
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  std::uint64_t value = 0;
  while (info >> name >> value && std::getline(info, unit)) {
    if (name != "MemAvailable:") continue;
    const RingSizes rings = ring_sizes(0, ProbeSettings{}.ring_bytes);
    const std::string finding = std::to_string((rings.count * rings.bytes + rings.spill_bytes) >> 20) + " MiB of " +
                                show_size(value * 1024) + " available";
    if (value < 64 * 1024) return {"ring memory", Verdict::warn, finding, "record with a smaller --ring, such as 4MiB"};
    return {"ring memory", Verdict::ok, finding, ""};
  }
  return {"ring memory", Verdict::ok, "unknown", ""};
}

std::vector<Check> check_load() {
  std::vector<Check> checks;
  try {
    ProbeSettings settings;
    settings.selection.all = true;
    const Probes probes(settings);
    checks.push_back({"programs", Verdict::ok,
                      std::to_string(probes.programs().size()) + " load in " +
                          std::to_string(probes.load_time().count() / 1000) + " ms",
                      ""});
    for (const auto& sentence : probes.not_recorded())
      checks.push_back({"programs", Verdict::warn, sentence, "all else is recorded"});
  } catch (const std::exception& e) {
    std::string why = e.what();
    why.resize(std::min(why.find('\n'), why.size()));
    checks.push_back(
        {"programs", Verdict::fail, why, "tailcap record --dry-run --verifier-log -a prints the kernel's reasons"});
  }
  return checks;
}

// Whether a tier reports a connection correctly.
Check check_tier_by_test(HookTier tier, const std::string& name) {
  try {
    ProbeSettings settings;
    settings.tier = tier;
    settings.groups = {Group::io, Group::arrivals};
    Probes probes(settings);
    const SelfTest test = self_test(probes);
    const std::string took = std::to_string(test.took.count() / 1000) + " ms";
    if (!test.inconclusive.empty())
      return {"self-test", Verdict::warn,
              "tier " + name + ": no connection over loopback could be made: " + test.inconclusive,
              "ip link set lo up"};
    if (test.wrong.empty())
      return {"self-test", Verdict::ok, "tier " + name + " reports a connection to oneself as it was, in " + took, ""};
    return {"self-test", Verdict::fail, "tier " + name + " reports a connection to oneself wrongly: " + test.wrong,
            "record with the other tier, or on another kernel"};
  } catch (const std::exception& e) {
    std::string why = e.what();
    why.resize(std::min(why.find('\n'), why.size()));
    return {"self-test", Verdict::fail, "tier " + name + ": " + why,
            "record with the other tier, or on another kernel"};
  }
}

// One correct tier is enough.
std::vector<Check> check_tiers_by_test() {
  std::vector<Check> checks;
  const KernelTypes types;
  for (const auto& [tier, name] : {std::pair{HookTier::a, "a"}, {HookTier::c, "c"}})
    if (choose_tier(tier, types).tier != HookTier::unknown) checks.push_back(check_tier_by_test(tier, name));
  const bool one = std::any_of(checks.begin(), checks.end(), [](const Check& c) { return c.verdict != Verdict::fail; });
  for (auto& check : checks)
    if (one && check.verdict == Verdict::fail) check.verdict = Verdict::warn;
  return checks;
}

// The plan as the recorder would make it.
std::optional<scan::FilePlan> plan_of(scan::TargetFiles& files, const std::string& shown, const scan::Candidate& where,
                                      bool tls_keys = false) {
  const auto file = files.open(shown, {where});
  return file ? files.plan(*file, {shown, true, tls_keys, false, true, false, false, 1}) : std::nullopt;
}

// Whether the library's keys can be taken: --tls keys.
std::optional<Check> check_keys(scan::TargetFiles& files, const std::string& path) {
  const auto plan = plan_of(files, path, {path}, true);
  const auto derives = [](const PlannedFunction& f) { return f.name == "EVP_KDF_derive"; };
  if (!plan || !std::any_of(plan->functions.begin(), plan->functions.end(), derives)) return std::nullopt;
  const auto& function = *std::find_if(plan->functions.begin(), plan->functions.end(), derives);
  const std::string file = path.substr(path.rfind('/') + 1);
  if (function.places.empty())
    return Check{"TLS", Verdict::warn, file + ": no keys: " + function.name + ": " + function.reason,
                 "--tls keys reads nothing of this library, --tls auto uses probes"};
  char price[32];
  std::snprintf(price, sizeof price, "%.1f µs", function.places[0].price / 1000.0);
  return Check{"TLS", Verdict::ok,
               file + ": with --tls keys and auto, " + function.name + " " + price + ", twenty times in a handshake",
               ""};
}

// The probes for the TLS libraries of this system; programs with their own library are found as they run.
std::vector<Check> check_tls(scan::TargetFiles& files) {
  std::vector<Check> checks;
  for (const auto& path : tls::system_libraries()) {
    tls::LibraryDescription library;
    if (const auto plan = plan_of(files, path, {path})) {
      library = tls::describe_library(plan->functions);
      if (!plan->refused.empty()) library.refused = plan->refused;
    } else {
      library.refused = files.problem();
    }
    const std::string name = "TLS", file = path.substr(path.rfind('/') + 1);
    if (!library.text.empty()) checks.push_back({name, Verdict::ok, file + ": " + library.text, ""});
    if (!library.refused.empty())
      checks.push_back({name, Verdict::warn, file + ": no probes: " + library.refused,
                        file.starts_with("libssl.so.3")
                            ? "only connections that begin while it records can be read, by keys of libcrypto.so.3"
                            : "its plaintext stays unknown; all else is recorded"});
    if (auto keys = check_keys(files, path)) checks.push_back(*std::move(keys));
  }
  const char* const none = "no OpenSSL or GnuTLS where the linker looks; others are found as they run";
  if (checks.empty()) checks.push_back({"TLS", Verdict::ok, none, ""});
  return checks;
}

// Examines only the descriptors, without a kernel program: which sockets exist, whether or not they can be recorded.
Check check_sockets(const std::string& pid) {
  std::error_code error;
  std::size_t sockets = 0, descriptors = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + pid + "/fd", error)) {
    std::error_code gone;
    descriptors++;
    if (std::filesystem::read_symlink(entry.path(), gone).string().starts_with("socket:")) sockets++;
  }
  if (error == std::errc::no_such_file_or_directory)
    return {"process " + pid, Verdict::fail, "there is no such process", "pgrep -a NAME finds its number"};
  if (error)
    return {"process " + pid, Verdict::fail, "its descriptors cannot be read: " + error.message(), "run as root"};
  const std::string finding =
      std::to_string(sockets) + " sockets among " + std::to_string(descriptors) + " descriptors";
  if (!sockets)
    return {"process " + pid, Verdict::warn, finding,
            "it may serve through child processes, which -p does not find afterwards: try --comm or --port"};
  return {"process " + pid, Verdict::ok, finding, ""};
}

// The records of a Go program beyond sockets and threads; empty for other programs.
std::vector<Check> check_go(scan::TargetFiles& files, const std::string& pid) {
  std::vector<Check> checks;
  const auto plan = plan_of(files, "the program", {"/proc/" + pid + "/exe"});
  if (!plan)
    return {{"program", Verdict::warn, "not to be read: " + files.problem(), "all but TLS and Go is recorded"}};
  if (!plan->go) return {};
  const auto program = go::describe_program(plan->program);
  checks.push_back({"Go", Verdict::ok, program.text, ""});
  if (!program.unsupported.empty())
    checks.push_back({"Go", Verdict::warn, "not recorded: " + program.unsupported, "all else is recorded"});
  return checks;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    char escaped[8];
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) {
      out += c;
    } else {
      std::snprintf(escaped, sizeof escaped, "\\u%04x", c);
      out += escaped;
    }
  }
  return formats::printable_json(out + '"');
}

}  // namespace

int run_doctor(int argc, char** argv) {
  bool json = false;
  std::string pid;
  for (int i = 1; i < argc; i++) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(kDoctorUsage, stdout);
      return 0;
    }
    if (argument == "--json") {
      json = true;
    } else if (argument == "--format" && i + 1 < argc) {
      const std::string_view format = argv[++i];
      if (format != "text" && format != "json") {
        std::fprintf(stderr, "tailcap doctor: --format is text or json, not '%s'\n",
                     formats::printable(format).c_str());
        return 2;
      }
      json = format == "json";
    } else if ((argument == "-p" || argument == "--pid") && i + 1 < argc) {
      pid = argv[++i];
      if (pid.empty() || pid.find_first_not_of("0123456789") != pid.npos) {
        std::fprintf(stderr, "tailcap doctor: '%s' is not a process id\n", pid.c_str());
        return 2;
      }
    } else {
      constexpr std::array<std::string_view, 4> kOptions = {"--pid", "--format", "--json", "--help"};
      const std::string meant = formats::suggestion(argument, kOptions);
      std::fprintf(stderr, "tailcap doctor: unknown argument '%s'%s `tailcap doctor --help` shows what it takes.\n",
                   formats::printable(argument).c_str(), meant.empty() ? "." : meant.c_str());
      return 2;
    }
  }
  const scan::Processes processes;
  scan::TargetFiles files(processes);
  std::vector<Check> checks = {check_kernel(),   check_types(),   check_rights(), check_pid_namespace(),
                               check_lockdown(), check_tracefs(), check_tier(),   check_ring()};
  for (auto& check : check_processor()) checks.push_back(std::move(check));
  const auto all_pass = [&] { return std::ranges::find(checks, Verdict::fail, &Check::verdict) == checks.end(); };
  if (all_pass()) {
    for (auto& check : check_load()) checks.push_back(std::move(check));
    for (auto& check : check_tiers_by_test()) checks.push_back(std::move(check));
  }
  for (auto& check : check_tls(files)) checks.push_back(std::move(check));
  if (!pid.empty()) {
    checks.push_back(check_sockets(pid));
    for (auto& check : check_go(files, pid)) checks.push_back(std::move(check));
  }
  const bool possible = all_pass();
  if (json) {
    std::printf("{\"schema\": %d, \"possible\": %s, \"checks\": [", kJsonSchema, possible ? "true" : "false");
    for (std::size_t i = 0; i < checks.size(); i++) {
      std::printf("%s\n  {\"name\": %s, \"verdict\": %s, \"finding\": %s, \"repair\": %s}", i ? "," : "",
                  json_string(checks[i].name).c_str(), json_string(word(checks[i].verdict)).c_str(),
                  json_string(checks[i].finding).c_str(), json_string(checks[i].repair).c_str());
    }
    std::puts("]}");
    return possible ? 0 : 1;
  }
  for (const auto& check : checks) {
    std::printf("%-4s  %-17s %s\n", word(check.verdict), check.name.c_str(), formats::printable(check.finding).c_str());
    if (!check.repair.empty()) std::printf("%-24s → %s\n", "", check.repair.c_str());
  }
  std::puts(possible ? "Recording is possible." : "Recording is impossible until the FAIL lines are repaired.");
  return possible ? 0 : 1;
}

}  // namespace tailcap::capture
