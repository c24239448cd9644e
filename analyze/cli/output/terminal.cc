#include "analyze/cli/output/terminal.h"

#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "analyze/cli/output/output_file.h"

namespace tailcap::cli {
namespace {

constexpr std::size_t kNarrowest = 60, kWidest = 160;  // beyond that lines are hard to read
constexpr int kNoSuchCommand = 127;                    // of a shell

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

winsize size_of_terminal() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

bool fits(const std::string& text) {
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  return lines < size_of_terminal().ws_row;
}

// False: there is no such pager, and nothing was printed.
bool page(const std::string& text) {
  std::string pager(variable("PAGER"));
  if (pager == "cat") return false;
  if (pager.empty()) pager = "less -FRX";
  setenv("LESS", "FRX", 0);           // one of the user's own is kept
  setenv("LESSCHARSET", "utf-8", 0);  // whatever the locale: everything printed is UTF-8
  std::fflush(stdout);
  const auto before = std::signal(SIGPIPE, SIG_IGN);  // the reader may leave before the end
  FILE* const to = popen(pager.c_str(), "w");
  if (!to) return false;
  std::fwrite(text.data(), 1, text.size(), to);
  const int status = pclose(to);
  std::signal(SIGPIPE, before);
  return !(WIFEXITED(status) && WEXITSTATUS(status) == kNoSuchCommand);
}

}  // namespace

bool on_terminal() { return isatty(STDOUT_FILENO) == 1; }

std::size_t terminal_width(std::size_t otherwise) {
  if (!on_terminal()) return otherwise;
  std::size_t width = 0;
  const std::string_view columns = variable("COLUMNS");
  std::from_chars(columns.data(), columns.data() + columns.size(), width);
  if (width == 0) width = size_of_terminal().ws_col;
  return width == 0 ? otherwise : std::clamp(width, kNarrowest, kWidest);
}

std::size_t terminal_height(std::size_t otherwise) {
  const std::size_t lines = on_terminal() ? size_of_terminal().ws_row : 0;
  return lines == 0 ? otherwise : lines;
}

bool moves_cursor() { return on_terminal() && variable("TERM") != "dumb"; }

bool coloured() { return moves_cursor() && variable("NO_COLOR").empty(); }

bool shows_unicode() {
  std::string locale;
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"})
    if (locale.empty()) locale = variable(name);
  std::ranges::transform(locale, locale.begin(), [](unsigned char c) { return std::tolower(c); });
  return locale.find("utf-8") != locale.npos || locale.find("utf8") != locale.npos;
}

void print_paged(const std::string& text, bool paged) {
  if (paged && on_terminal() && !fits(text) && page(text)) return;
  write_file("", text, "");
}

void write_paged(const std::string& path, const std::string& text, const std::string& capture, bool paged) {
  if (path.empty() || path == "-")
    print_paged(text, paged);
  else
    write_file(path, text, capture);
}

}  // namespace tailcap::cli
