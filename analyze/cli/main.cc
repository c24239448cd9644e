// tailcap: explains a capture. `tailcap record`, `control` and `doctor` execute tailcap-record.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/file_arguments.h"
#include "analyze/cli/options/read_options.h"
#include "analyze/cli/output/complain.h"
#include "analyze/flow/trace_context.h"
#include "formats/printable.h"

namespace {

using namespace tailcap::cli;
namespace flow = tailcap::flow;

struct Entry {
  const char* name;
  int (*run)(int, char**);
};

constexpr std::array kEntries = std::to_array<Entry>({
    {"check", run_check},
    {"diag", run_diag},
    {"events", run_events},
    {"flame", run_flame},
    {"info", run_info},
    {"merge", run_merge},
    {"recover", run_recover},
    {"report", run_report},
    {"requests", run_requests},
    {"show", run_show},
    {"spans", run_spans},
    {"timeline", run_timeline},
    {"topology", run_topology},
    {"tree", run_tree},
});

constexpr const char* kHelp =
    R"(tailcap explains afterwards why slow HTTP requests were slow, from a capture of what the kernel saw.

usage: tailcap COMMAND [ARGUMENT...]          tailcap COMMAND --help says more
       tailcap --trace-keys TRACE,SPAN[,FLAGS] COMMAND [ARGUMENT...]
                                              your own names of the fields trace-id, span-id and traceflags

Record (as root)
  record     record a service's traffic and waits into a .tcap file
  control    speak to a running recorder: note deploy=v2
  doctor     can this machine record? what is missing, and what repairs it

What is slow, and where does the time go?
  report     routes with percentiles, phases and the slowest requests; --html for a page
  topology   who calls whom, how often, how fast; --mermaid and --dot for pictures
  requests   one line per request, filtered and sorted; --json for machines
  show       one request as a waterfall
  tree       one request and everything it caused
  timeline   lanes of threads, goroutines and connections in a window of time
  spans      requests as OpenTelemetry spans; completes those of SDKs
  flame      flame graphs: functions that the CPU's time went to, or what threads waited for

What ails the machine?
  diag       short-lived processes, shortage of memory, TCP failures, slow disks

What is in the file, and can it be trusted?
  info       what was recorded, how, and what was lost
  events     event by event, as recorded
  check      verify every block
  recover    save what is whole of a damaged capture
  merge      one capture out of several machines'

Options of all commands that read a capture; at a limit they say so, print what they have and exit with 3
  --max-memory SIZE   stop reading when this process has that much memory (default 4GiB)
  --max-requests N    stop after so many requests (default 50,000,000); without it also where a file holds far more than
                      recordings of its size do: more than 250,000 requests and one for each of its bytes, for instance

examples:
  tailcap record -p $(pidof nginx) -d 30s -o slow.tcap
  tailcap report slow.tcap --html slow.html
  tailcap requests slow.tcap --slowest 10
)";

// The recorder is a program of its own, beside this one or in the path, so that only it needs privileges.
int execute_recorder(int argc, char** argv, bool keep_name) {
  std::vector<char*> arguments(argv, argv + argc);
  if (!keep_name) arguments.erase(arguments.begin());
  std::string program = "tailcap-record";
  arguments.insert(arguments.begin(), program.data());
  arguments.push_back(nullptr);
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) {
    // Installed side by side; in the build tree the recorder is in the neighbouring folder.
    for (const auto& path : {self.parent_path() / program, self.parent_path().parent_path() / "capture" / program}) {
      if (std::filesystem::exists(path, error)) execv(path.c_str(), arguments.data());
    }
  }
  execvp(program.c_str(), arguments.data());
  complain("", std::string("cannot run tailcap-record: ") + std::strerror(errno) +
                   ". It is installed beside tailcap; the analyser alone cannot record.");
  return 1;
}

// "x-trace,x-span,x-flags": false where it is not of this form.
bool take_trace_keys(std::string_view text) {
  std::vector<std::string> names(1);
  for (const char c : text) {
    if (c == ',')
      names.emplace_back();
    else
      names.back() += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  if (names.size() < 2 || names.size() > 3) return false;
  for (const std::string& name : names)
    if (name.empty() || name.find_first_of(" :\t") != name.npos) return false;
  flow::TraceKeys keys;
  keys.trace = names[0], keys.span = names[1];
  if (names.size() == 3) keys.flags = names[2];
  flow::name_trace_keys(std::move(keys));
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string_view(argv[1]) == "--trace-keys") {
    if (argc < 3 || !take_trace_keys(argv[2])) {
      complain("",
               "--trace-keys wants two or three names of header fields, like x-trace,x-span,x-flags. `tailcap --help` "
               "says more.");
      return 2;
    }
    argc -= 2, argv += 2;
  }
  std::vector<char*> arguments(argv + std::min(argc, 1), argv + argc);
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (name == "--version") {
    std::puts("tailcap " TAILCAP_VERSION);
    return 0;
  }
  if (name == "record" || name == "control" || name == "doctor")
    return execute_recorder(argc - 1, argv + 1, name != "record");
  for (const Entry& entry : kEntries) {
    if (name != entry.name) continue;
    if (const auto wrong = take_read_options(arguments)) return wrong_usage(entry.name, *wrong);
    int count = static_cast<int>(arguments.size());
    arguments.push_back(nullptr);
    try {
      return report_stops(entry.name, entry.run(count, arguments.data()));
    } catch (const std::exception& e) {
      complain(entry.name, e.what());
      return report_stops(entry.name, 1);
    }
  }
  if (name.empty())
    complain("", "no command given. `tailcap --help` lists them.");
  else
    complain("", "unknown command '" + tailcap::formats::printable(name) + "'. `tailcap --help` lists them.");
  return 2;
}
