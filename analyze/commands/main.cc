// tailcap: explains a capture. `tailcap record` and `tailcap doctor` execute tailcap-record.
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <string>
#include <vector>

#include "analyze/commands/command.h"

namespace {

using namespace tailcap::commands;

struct Entry {
  const char* name;
  int (*run)(int, char**);
};

constexpr std::array kEntries = std::to_array<Entry>({
    {"check", run_check},
    {"events", run_events},
    {"info", run_info},
    {"merge", run_merge},
    {"recover", run_recover},
    {"report", run_report},
    {"requests", run_requests},
    {"show", run_show},
    {"topology", run_topology},
    {"tree", run_tree},
});

constexpr const char* kHelp =
    R"(tailcap explains afterwards why slow HTTP requests were slow, from a capture of what the kernel saw.

usage: tailcap COMMAND [ARGUMENT...]          tailcap COMMAND --help says more

Record (as root)
  record     record a service's traffic and waits into a .tcap file
  doctor     can this machine record? what is missing, and what repairs it

What is slow, and where does the time go?
  report     routes with percentiles, phases and the slowest requests; --html for a page
  topology   who calls whom, how often, how fast; --mermaid and --dot for pictures
  requests   one line per request, filtered and sorted; --json for machines
  show       one request as a waterfall
  tree       one request and everything it caused

What is in the file, and can it be trusted?
  info       what was recorded, how, and what was lost
  events     event by event, as recorded
  check      verify every block
  recover    save what is whole of a damaged capture
  merge      one capture out of several machines'

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
  std::fprintf(stderr, "tailcap: cannot run tailcap-record: %s. It is installed beside tailcap; the analyser alone cannot record.\n",
               std::strerror(errno));
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string name = argc > 1 ? argv[1] : "";
  if (name == "--help" || name == "-h" || name == "help") {
    std::fputs(kHelp, stdout);
    return 0;
  }
  if (name == "--version") {
    std::puts("tailcap " TAILCAP_VERSION);
    return 0;
  }
  if (name == "record" || name == "doctor") return execute_recorder(argc - 1, argv + 1, name == "doctor");
  for (const Entry& entry : kEntries) {
    if (name != entry.name) continue;
    try {
      return entry.run(argc - 1, argv + 1);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "tailcap %s: %s\n", entry.name, e.what());
      return 1;
    }
  }
  if (name.empty())
    std::fputs("tailcap: no command given. `tailcap --help` lists them.\n", stderr);
  else
    std::fprintf(stderr, "tailcap: unknown command '%s'. `tailcap --help` lists them.\n", name.c_str());
  return 2;
}
