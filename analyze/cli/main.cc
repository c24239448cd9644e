// tailcap: explains a capture. `tailcap record`, `control`, `doctor` and `symbolize` execute tailcap-record, and `gate`
// tailcap-gate.
#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "analyze/cli/agents.h"
#include "analyze/cli/command.h"
#include "analyze/cli/live/live_record.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/options/help_text.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/recorder_program.h"
#include "analyze/cli/output/scratch.h"
#include "analyze/query/filter.h"
#include "formats/nearest.h"
#include "formats/printable.h"

// For jemalloc. An analysis touches hundreds of MiB for the first time. Huge pages, where the kernel gives them on
// request, avoid nine page faults of ten, and a third of the time where a fault is expensive. They need mappings longer
// than what is asked for, so the addresses of freed memory are retained; --max-memory counts them. The kernel zeroes
// each page that it gives, so freed memory is kept for five seconds; then the kernel gets its pages back. One arena:
// each has a long mapping that is not full.
extern "C" const char* const malloc_conf =
    "thp:always,metadata_thp:auto,narenas:1,dirty_decay_ms:5000,muzzy_decay_ms:0,oversize_threshold:0,retain:true";

namespace {

using namespace tailcap::cli;

struct Entry {
  const char* name;
  int (*run)(int, char**);
};

constexpr std::array kEntries = std::to_array<Entry>({
    {"assert", assert_command::run},
    {"audit", audit_command::run},
    {"baseline", baseline_command::run},
    {"cardinality", cardinality_command::run},
    {"check", check_command::run},
    {"compare", compare_command::run},
    {"complete", complete_command::run},
    {"cut", cut_command::run},
    {"diag", diag_command::run},
    {"diff", diff_command::run},
    {"events", events_command::run},
    {"export", export_command::run},
    {"flame", flame_command::run},
    {"fleet", fleet_command::run},
    {"info", info_command::run},
    {"mcp", mcp_command::run},
    {"merge", merge_command::run},
    {"note", note_command::run},
    {"open", open_command::run},
    {"pack", pack_command::run},
    {"policy", policy_command::run},
    {"query", query_command::run},
    {"recompress", recompress_command::run},
    {"recover", recover_command::run},
    {"redact", redact_command::run},
    {"report", report_command::run},
    {"requests", requests_command::run},
    {"scorecard", scorecard_command::run},
    {"show", show_command::run},
    {"similar", similar_command::run},
    {"spans", spans_command::run},
    {"summarise", summarise_command::run},
    {"symbolize", symbolize_command::run},
    {"timeline", timeline_command::run},
    {"top", top_command::run},
    {"topology", topology_command::run},
    {"tree", tree_command::run},
    {"watch", watch_command::run},
});

constexpr const char* kCommands =
    R"(tailcap explains afterwards why slow HTTP requests were slow, from a capture of what the kernel saw.

usage: tailcap COMMAND [ARGUMENT...]          tailcap COMMAND --help says more
       tailcap FILE                           the same as tailcap report FILE
       tailcap help agents                    how programs use tailcap

Record (as root)
  record      record a service's traffic and waits into a .tcap file
  control     speak to a running recorder: note deploy=v2
  snapshot    save the in-memory recording (record --last) to a file; see also status, stop
  watch       take such snapshots when requests meet a condition
  doctor      check whether this machine can record, what is missing, and what repairs it

What is slow, and where does the time go?
  report      routes with percentiles, phases and the slowest requests; -o slow.html for a page
  open        the page of a report, in the browser
  top         routes with rate, errors, percentiles and what is under way; live, while it is recorded
  topology    which service calls which, how often, how fast; --format mermaid and dot for pictures
  requests    one line per request, filtered and sorted; --json for machines
  show        one request as a waterfall, or two side by side
  tree        one request and everything it caused; the longest traces, and their pictures
  timeline    lanes of threads, goroutines and connections in a window of time
  spans       requests as OpenTelemetry spans; completes those of SDKs
  flame       flame graphs: functions that the CPU's time went to, or what threads waited for
  export      for Perfetto, OpenTelemetry, Prometheus, browsers, Loki, pprof, Wireshark
  query       SQL over requests, segments of their time, threads, connections, spans
  mcp         the same questions for programs, over the Model Context Protocol

Is the traffic what it should be?
  audit       check the recorded connections against network policies

What is wrong with the machine?
  diag        short-lived processes, shortage of memory, TCP failures, slow disks

What is different?
  diff        two captures, or two parts of one, side by side: what changed most, and why

Is the new version slower?
  gate        record two versions alternately under load, and compare them: a gate for CI
  compare     compare repeated runs of two versions
  assert      check recordings against limits

What is usual, and what was promised?
  summarise   captures of days and weeks as one small file that can be added to others
  baseline    what is usual at a time of day, and what is outside of it
  fleet       the services of many summaries on one page: which is not well, since when, and why
  scorecard   availability, limits, error budgets and burn rates, by service and week
  similar     past incidents whose time was spent on the same
  cardinality how many series metrics have, and which dimensions make them

What would a sampling policy or circuit breaker have done?
  policy      replay live controls over a recording

What is in the file, and can it be trusted?
  info        what was recorded, how, and what was lost
  events      event by event, as recorded
  check       verify every block
  recover     save the sound blocks of a damaged capture
  merge       combine the captures of several machines
  recompress  make a capture smaller, or quicker to read
  symbolize   add names of functions to stacks, from debug files

Give it away
  cut         extract a few requests into a small capture
  redact      copy a capture without what may be secret; --verify searches the copy
  note        attach a question to a capture or a request
  pack        one file for a bug report: cut, redacted, with a report

Options of all commands that read a capture; at a limit they say so, and print what they have or end
)";

constexpr const char* kExamples = R"(
examples:
  tailcap record -p $(pidof nginx) -d 30s -o slow.tcap
  tailcap report slow.tcap -o slow.html
  tailcap requests slow.tcap --sort duration -n 10
)";

void print_help() {
  std::string text = kCommands;
  for (const Definition* d : {&option::kMaxMemory, &option::kMaxCpu, &option::kMaxRequests, &option::kTraceKeys})
    text += option_lines(*d, {}, d->text, 26);
  std::fputs((text + "\n" + kExitCodes + kExamples).c_str(), stdout);
}

// `tailcap snapshot FILE [OUT]` is `tailcap control FILE snapshot [OUT]`.
int execute_control(int argc, char** argv) {
  std::string control = "control";
  std::vector<char*> words = {control.data()};
  if (argc > 1) words.push_back(argv[1]);
  words.push_back(argv[0]);
  for (int i = 2; i < argc; ++i) words.push_back(argv[i]);
  return execute_recorder({words.begin(), words.end()});
}

// A file that is no command: a capture, or a package with one.
bool is_capture(const std::string& name) {
  std::error_code error;
  const auto command = [&](const Entry& entry) { return name == entry.name; };
  return (name.ends_with(".tcap") || name.ends_with(".zip") || name.find('/') != name.npos) &&
         std::filesystem::is_regular_file(name, error) && std::ranges::none_of(kEntries, command);
}

}  // namespace

int main(int argc, char** argv) {
  std::string name = argc > 1 ? argv[1] : "";
  std::string help_option = "--help", report = "report";
  if (name == "help" && argc > 2 && argv[2] == std::string_view("agents")) {
    std::fputs(kForAgents, stdout);
    return kDone;
  }
  if (name == "help" && argc > 2) {  // `tailcap help COMMAND`
    name = argv[2];
    argv[1] = argv[2];
    argv[2] = help_option.data();
    argc = 3;
  }
  if (name == "--help" || name == "-h" || name == "help") {
    print_help();
    return kDone;
  }
  if (name == "--version") {
    std::puts("tailcap " TAILCAP_VERSION);
    return kDone;
  }
  std::vector<char*> words(argv, argv + argc);
  if (is_capture(name)) {  // `tailcap FILE` is `tailcap report FILE`
    name = report;
    words.insert(words.begin() + 1, report.data());
    argc += 1;
    words.push_back(nullptr);
    argv = words.data();
  }
  if (name == "record") return record({argv + 2, argv + argc});
  if (name == "control" || name == "doctor") return execute_recorder({argv + 1, argv + argc});
  if (name == "gate") return execute_gate({argv + 2, argv + argc});
  if (name == "snapshot" || name == "status" || name == "stop") return execute_control(argc - 1, argv + 1);
  for (const Entry& entry : kEntries) {
    if (name != entry.name) continue;
    try {
      Scratch scratch;
      if (entry.run != note_command::run) unpack_words(argc - 1, argv + 1, scratch);
      return report_stops(entry.name, entry.run(argc - 1, argv + 1));
    } catch (const UsageError& e) {
      return wrong_usage(entry.name, e.what());
    } catch (const tailcap::query::FilterError& e) {
      complain(entry.name, e.what());
      return kBadUsage;
    } catch (const std::exception& e) {
      complain(entry.name, e.what());
      return report_stops(entry.name, kFailed);
    }
  }
  if (name.empty()) {
    complain("", "no command given. `tailcap --help` lists them.");
    return kBadUsage;
  }
  std::vector<std::string_view> names = {"record", "control", "snapshot", "status", "stop", "doctor", "gate"};
  for (const Entry& entry : kEntries) names.push_back(entry.name);
  const std::string meant = tailcap::formats::suggestion(name, names);
  const bool option = name.front() == '-';
  complain("", std::string(option ? "the command comes first, not '" : "unknown command '") +
                   tailcap::formats::printable(name) + "'" + (meant.empty() ? "." : meant) +
                   " `tailcap --help` lists them.");
  return kBadUsage;
}
