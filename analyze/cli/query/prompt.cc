#include "analyze/cli/query/prompt.h"

#include <signal.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <exception>
#include <string_view>
#include <vector>

#include "analyze/cli/output/complain.h"
#include "analyze/cli/query/line_reader.h"
#include "formats/bounds/process_bounds.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::cli {
namespace {

constexpr const char* kPrompt = "tailcap> ";
constexpr const char* kMore = "    ...> ";
constexpr std::size_t kMostTyped = 1u << 20;

constexpr const char* kPromptHelp = R"(SELECT …;        SQL; it ends with a semicolon or an empty line
.tables          the tables and views
.schema TABLE    the columns of a table, and what they hold; without TABLE those of all
.help            this
.quit            end, as Ctrl-D
Ctrl-C cancels the line, or the SQL that runs. Docs: docs/query.md
)";

std::atomic<bool> cancelled = false;
void cancel(int) { cancelled = true; }

std::string trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == text.npos) return {};
  return std::string(text.substr(begin, text.find_last_not_of(" \t") - begin + 1));
}

// False: it is the end.
bool dot_command(const std::string& line, const PromptAnswers& answers) {
  const std::size_t space = line.find(' ');
  std::string name = line.substr(0, space), rest = space == line.npos ? "" : trimmed(line.substr(space));
  while (!rest.empty() && rest.back() == ';') rest.pop_back();
  if (name == ".quit" || name == ".exit") return false;
  if (name == ".help")
    std::fputs(kPromptHelp, stdout);
  else if (name == ".tables")
    answers.tables();
  else if (name == ".schema")
    answers.schema(rest);
  else {
    constexpr std::array<std::string_view, 5> kNames = {".tables", ".schema", ".help", ".quit", ".exit"};
    complain("query", "there is no " + formats::printable(name) +
                          formats::suggestion(name, std::vector<std::string_view>(kNames.begin(), kNames.end())) +
                          " .help lists what there is");
  }
  return true;
}

// One statement, or a command. False: the end.
bool statement(LineReader& reader, std::string& text) {
  std::string line;
  text.clear();
  for (;;) {
    switch (reader.read(text.empty() ? kPrompt : kMore, line)) {
      case TypedLine::end:
        std::fputs("\n", stdout);
        return false;
      case TypedLine::cancelled:
        std::fputs("\n", stdout);
        text.clear();
        return true;
      case TypedLine::line:
        break;
    }
    line = trimmed(line);
    if (text.empty() && line.starts_with('.')) {
      text = line;
      return true;
    }
    if (line.empty()) return true;
    if (text.size() + line.size() > kMostTyped) {
      complain("query", "a statement has at most 1 MiB");
      text.clear();
      return true;
    }
    text += (text.empty() ? "" : " ") + line;
    if (text.back() == ';') return true;
  }
}

}  // namespace

bool cancelled_at_prompt() { return cancelled; }

void run_prompt(const std::string& file, const PromptAnswers& answers) {
  formats::without_processor_limit();
  struct sigaction action {};
  action.sa_handler = cancel;
  sigaction(SIGINT, &action, nullptr);
  LineReader reader(history_file(), cancelled_at_prompt);
  std::printf("%s. SQL ends with a semicolon; .tables lists the tables, .help says more, Ctrl-D ends.\n",
              formats::printable(file).c_str());
  std::string text;
  for (; statement(reader, text); cancelled = false) {  // what cancelled the SQL does not cancel the next line
    if (text.empty()) continue;
    reader.remember(text);
    try {
      if (text.starts_with('.')) {
        if (!dot_command(text, answers)) return;
        continue;
      }
      while (!text.empty() && (text.back() == ';' || text.back() == ' ')) text.pop_back();
      if (!text.empty()) answers.query(text);
    } catch (const std::exception& e) {
      complain("query", e.what());
    }
    std::fflush(stdout);
  }
}

}  // namespace tailcap::cli
