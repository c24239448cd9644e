// tailcap open: the page of a report, in the browser.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/child.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "formats/bounds/process_bounds.h"
#include "formats/printable.h"

namespace tailcap::cli::open_command {
namespace {

constexpr const char* kAbout =
    "tailcap open writes the page of `tailcap report`, or with ID that of `tailcap show`, to a temporary file, and "
    "opens it in a browser.";

constexpr const char* kNotes =
    R"(The page stays in a folder of its own in $TMPDIR, else /tmp, that only you can read. xdg-open chooses the browser. Where
there is none, as on a server, the name of the page is on the standard output: copy it to where there is one.

examples:
  tailcap open slow.tcap
  tailcap open slow.tcap @1
)";

// Readable by its owner only.
std::string folder() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "tailcap-open-XXXXXX").string();
  if (error || !mkdtemp(name.data()))
    throw std::system_error(errno, std::generic_category(), "cannot make a folder for the page");
  return name;
}

bool browse(const std::string& page) {
  const char* const display = std::getenv("DISPLAY");
  const char* const wayland = std::getenv("WAYLAND_DISPLAY");
  const char* const browser = std::getenv("BROWSER");
  if (!display && !wayland && !browser) return false;
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    formats::lift_memory_limit();
    execlp("xdg-open", "xdg-open", page.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  return exit_code_of(child) == 0;
}

}  // namespace

int run(int argc, char** argv) {
  std::string file, id;
  CommandLine line("open", kAbout);
  line.capture(file);
  line.word("ID", id, nullptr);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  std::string page = folder() + "/" + std::filesystem::path(file).stem().string() + ".html";
  std::string command = id.empty() ? "report" : "show", output = "--output";
  std::vector<char*> words = {command.data(), file.data()};
  if (!id.empty()) words.push_back(id.data());
  words.insert(words.end(), {output.data(), page.data()});
  const int count = static_cast<int>(words.size());
  const int code = id.empty() ? report_command::run(count, words.data()) : show_command::run(count, words.data());
  std::error_code error;
  if (!std::filesystem::exists(page, error)) {
    std::filesystem::remove_all(std::filesystem::path(page).parent_path(), error);
    return code;
  }
  std::puts(formats::printable(page).c_str());
  if (!browse(page)) complain("open", "no browser could be started here. The page is " + formats::printable(page));
  return code;
}

}  // namespace tailcap::cli::open_command
