// tailcap symbolize: names for stacks, from debug files. tailcap-record does it: it has the readers of such files.
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/recorder_program.h"
#include "analyze/cli/output/scratch.h"
#include "formats/printable.h"

namespace tailcap::cli::symbolize_command {
namespace {

constexpr Definition kDebug{"debug", 0, "DIR", "look for debug files in DIR; may be repeated", 0};

constexpr const char* kNotes =
    R"(Stacks whose functions had no debug information on the recorded machine get names, inlined functions and executed lines.
Files are known by their build-ids. DIR has them by build-id, like /usr/lib/debug (.build-id/ab/cdef.debug), like the cache of
debuginfod (BUILDID/debuginfo), or by the names of the programs and libraries. Nothing is downloaded. FILE is not changed.

Exit code 4: nothing was found that could be added, and OUT was not written.

examples:
  tailcap symbolize slow.tcap --debug /usr/lib/debug -o named.tcap
  tailcap symbolize slow.tcap --debug ~/.cache/debuginfod_client --debug ./build
)";

// slow.tcap becomes slow.named.tcap.
std::string default_out(const std::string& in) {
  std::filesystem::path path(in);
  return path.replace_extension(".named.tcap").string();
}

}  // namespace

int run(int argc, char** argv) {
  std::string in, out;
  std::vector<std::string> folders;
  bool force = false;
  CommandLine line("symbolize",
                   "tailcap symbolize copies a capture and adds names of functions to its stacks, from debug files.");
  line.word("FILE", in, "no file given");
  line.option(kDebug, &folders);
  line.option(option::kOutput, &out, "write OUT (default: FILE with the ending .named.tcap)");
  line.option(option::kForce, &force);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (folders.empty()) return wrong_usage(argv[0], "no folder given: --debug DIR");
  for (const std::string& folder : folders) {
    std::error_code error;
    if (!std::filesystem::is_directory(folder, error))
      return wrong_usage(argv[0], formats::printable(folder) + " is no folder");
  }
  if (given_path(in) != in) return wrong_usage(argv[0], "FILE is a package: unpack it, and give the capture in it");
  if (out.empty()) out = default_out(in);
  std::vector<std::string> words = {"symbolize", in, out, force ? "overwrite" : "keep"};
  words.insert(words.end(), folders.begin(), folders.end());
  return execute_recorder(words);
}

}  // namespace tailcap::cli::symbolize_command
