#include "analyze/cli/options/help_text.h"

#include <algorithm>

namespace tailcap::cli {

std::string wrapped(std::string_view text, std::size_t indent, std::size_t used) {
  std::string out;
  bool first = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    const std::string_view word = text.substr(0, end);
    if (!first && used + 1 + word.size() > kHelpWidth) {
      out += "\n" + std::string(indent, ' ');
      used = indent;
      first = true;
    }
    if (!first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += word.size();
    first = false;
    if (end < text.size() && text[end] == '\n') {
      out += "\n" + std::string(end + 1 < text.size() ? indent : 0, ' ');
      used = indent;
      first = true;
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (!out.empty() && out.back() != '\n') out += '\n';
  return out;
}

std::string option_text(const Definition& definition, const std::vector<std::string_view>& choices) {
  std::string out = definition.letter == 0 ? "      " : std::string("  -") + definition.letter + ", ";
  out += "--" + std::string(definition.name);
  if (choices.empty()) return definition.value ? out + " " + definition.value : out;
  for (std::size_t i = 0; i < choices.size(); ++i) out += (i == 0 ? " " : "|") + std::string(choices[i]);
  return out;
}

std::string option_lines(const Definition& definition, const std::vector<std::string_view>& choices,
                         std::string_view text, std::size_t column) {
  std::string out = option_text(definition, choices);
  if (text.empty()) return out + "\n";
  if (out.size() + 2 > column)
    out += "\n" + std::string(column, ' ');
  else
    out.append(column - out.size(), ' ');
  return out + wrapped(text, column, column);
}

}  // namespace tailcap::cli
