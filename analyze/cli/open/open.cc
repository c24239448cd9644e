// tailcap open: the page of a report in the browser, or the capture in Perfetto.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "analyze/cli/command.h"
#include "analyze/cli/open/one_download.h"
#include "analyze/cli/options/command_line.h"
#include "analyze/cli/output/child.h"
#include "analyze/cli/output/complain.h"
#include "analyze/cli/output/exit_code.h"
#include "analyze/cli/output/output_file.h"
#include "analyze/cli/output/signals.h"
#include "formats/bounds/process_bounds.h"
#include "formats/printable.h"

namespace tailcap::cli::open_command {
namespace {

constexpr const char* kAbout =
    "tailcap open writes the page of `tailcap report`, or with ID that of `tailcap show`, to a temporary file, and "
    "opens it in a browser. With --perfetto it opens the capture in Perfetto's user interface.";

constexpr const char* kNotes =
    R"(The page stays in a folder of its own in $TMPDIR, else /tmp, that only you can read. xdg-open chooses the browser. Where
there is none, as on a server, the name of the page is on the standard output: copy it to where there is one.

With --perfetto the browser loads the user interface from https://ui.perfetto.dev, which fetches the trace from this
machine, 127.0.0.1:9001, once. The trace stays in the browser. The command waits up to two minutes for that.

examples:
  tailcap open slow.tcap
  tailcap open slow.tcap @1
  tailcap open slow.tcap --perfetto
)";

constexpr Definition kPerfetto{"perfetto", 0, nullptr,
                               "write the capture as a trace of Perfetto, and open that in its user interface", 0};

// The port of Perfetto's own tools: the only one of this machine from which its page may load.
constexpr std::uint16_t kPerfettoPort = 9001;
constexpr const char* kPerfettoOrigin = "https://ui.perfetto.dev";
constexpr auto kPatience = std::chrono::minutes{2};
constexpr auto kLook = std::chrono::milliseconds{500};  // between two looks at the browser

// Readable by its owner only.
std::string folder() {
  std::error_code error;
  std::string name = (std::filesystem::temp_directory_path(error) / "tailcap-open-XXXXXX").string();
  if (error || !mkdtemp(name.data())) throw std::system_error(errno, std::generic_category(), "cannot make a folder");
  return name;
}

// The process that opens it; -1: there can be no browser here.
pid_t start_browser(const std::string& page) {
  const char* const display = std::getenv("DISPLAY");
  const char* const wayland = std::getenv("WAYLAND_DISPLAY");
  const char* const browser = std::getenv("BROWSER");
  if (!display && !wayland && !browser) return -1;
  const pid_t child = fork();
  if (child != 0) return child;
  formats::lift_memory_limit();
  execlp("xdg-open", "xdg-open", page.c_str(), static_cast<char*>(nullptr));
  _exit(127);
}

bool browse(const std::string& page) {
  const pid_t child = start_browser(page);
  return child > 0 && exit_code_of(child) == 0;
}

// It may run until it has the file: it is not waited for. False: the file was not fetched.
bool hand_over(OneDownload& download, const std::string& page) {
  pid_t browser = start_browser(page);
  const auto complain_once = [&] {
    complain("open", "no browser could be started here. Open the address above in one on this machine");
  };
  if (browser <= 0) complain_once();
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (std::chrono::steady_clock::now() < until && !ended_by_signal()) {
    if (download.serve(kLook)) return true;
    int status = 0;
    if (browser <= 0 || waitpid(browser, &status, WNOHANG) != browser) continue;
    browser = -1;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) complain_once();
  }
  return false;
}

int open_page(std::string file, std::string id) {
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

int open_in_perfetto(std::string file) {
  const std::string name = std::filesystem::path(file).stem().string() + ".pftrace";
  std::string trace = folder() + "/" + name, command = "export", output = "--output";
  const std::string made = std::filesystem::path(trace).parent_path().string();
  std::error_code error;
  int code = kFailed;
  try {
    std::array<char*, 4> words = {command.data(), file.data(), output.data(), trace.data()};
    {
      const Unsaid unsaid;
      code = export_command::run(static_cast<int>(words.size()), words.data());
    }
    if (std::filesystem::exists(trace, error)) {
      end_at_signals();
      OneDownload download(kPerfettoPort, trace, name, kPerfettoOrigin);
      const std::string page = std::string(kPerfettoOrigin) + "/#!/?url=" + download.url();
      std::puts(page.c_str());
      std::fflush(stdout);
      if (!hand_over(download, page)) {
        complain("open", "no browser fetched the trace. `tailcap export " + formats::printable(file) +
                             " -o slow.pftrace` writes it to a file");
        code = kFailed;
      }
    }
  } catch (...) {
    std::filesystem::remove_all(made, error);
    throw;
  }
  std::filesystem::remove_all(made, error);
  return code;
}

}  // namespace

int run(int argc, char** argv) {
  std::string file, id;
  bool perfetto = false;
  CommandLine line("open", kAbout);
  line.capture(file);
  line.word("ID", id, nullptr);
  line.option(kPerfetto, &perfetto);
  line.notes(kNotes);
  if (const auto code = line.parse(argc, argv)) return *code;
  if (!perfetto) return open_page(file, id);
  if (!id.empty()) throw UsageError("--perfetto opens the whole capture: leave the ID out");
  return open_in_perfetto(file);
}

}  // namespace tailcap::cli::open_command
