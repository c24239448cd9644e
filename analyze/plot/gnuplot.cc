#include "analyze/plot/gnuplot.h"

#include <gnuplot-iostream.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "ground/shell.h"

namespace tailcap::plot {
namespace {

constexpr std::size_t kWordsKept = 300;  // of gnuplot's complaint

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

bool in_path(const char* program) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');)
    if (!folder.empty() && access((folder + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

}  // namespace

Workplace::Workplace() {
  std::string pattern = (std::filesystem::temp_directory_path() / "tailcap-plot-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(),
                            "cannot make a temporary directory " + pattern + " for gnuplot; set TMPDIR");
  path_ = pattern;
}

Workplace::~Workplace() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string run_gnuplot(const std::string& script, const Workplace& place) {
  if (!in_path("gnuplot")) return "gnuplot is not installed (Debian: apt-get install gnuplot-nox)";
  const std::string words = place.path() + "/words", status = place.path() + "/status";
  // -d: not the user's start-up file. The loop takes what gnuplot leaves when it gives up: otherwise we would be
  // killed by the broken pipe.
  const std::string command = "LC_ALL=C.UTF-8 gnuplot -d >/dev/null 2>" + ground::shell_quoted(words) + "; echo $? >" +
                              ground::shell_quoted(status) + "; while read -r rest; do :; done; true";
  try {
    Gnuplot gnuplot(command);
    gnuplot << script;
  } catch (const std::exception& e) {
    return std::string("gnuplot could not be started: ") + e.what();
  }
  if (content(status) == "0\n") return {};
  std::string complaint;
  for (const char c : content(words).substr(0, kWordsKept)) complaint += c >= ' ' && c < 127 ? c : ' ';
  return "gnuplot failed: " + complaint;
}

}  // namespace tailcap::plot
