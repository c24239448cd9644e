#include "analyze/cli/options/capture_here.h"

#include <filesystem>
#include <system_error>

#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/complain.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

namespace fs = std::filesystem;

// Empty: there is none. Where times are equal, it is the first by name.
std::string newest() {
  std::error_code error;
  fs::path best;
  fs::file_time_type written;
  for (fs::directory_iterator at(".", error), end; !error && at != end; at.increment(error)) {
    std::error_code unreadable;
    if (at->path().extension() != ".tcap" || !at->is_regular_file(unreadable)) continue;
    const fs::file_time_type time = at->last_write_time(unreadable);
    if (unreadable) continue;
    const fs::path name = at->path().filename();
    if (!best.empty() && (time < written || (time == written && best < name))) continue;
    best = name;
    written = time;
  }
  return best.string();
}

}  // namespace

std::string capture_here(const char* command) {
  std::string name = newest();
  if (name.empty()) throw UsageError("no file given, and there is no *.tcap file in this folder");
  complain(command, "reading " + formats::printable(name) + ", the newest capture in this folder");
  // A name can begin with a dash, or be one that is taken for something else.
  return "./" + name;
}

}  // namespace tailcap::cli
