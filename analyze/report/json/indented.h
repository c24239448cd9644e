// JSON that JsonWriter wrote, for eyes: a line for each value, indented by two blanks a level.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::report {

inline std::string indented(std::string_view json) {
  std::string out;
  std::size_t depth = 0;
  const auto line = [&] {
    out += '\n';
    out.append(2 * depth, ' ');
  };
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '"') {
      const std::size_t begin = i;
      for (++i; i < json.size() && json[i] != '"'; ++i) i += json[i] == '\\';
      out += json.substr(begin, i - begin + 1);
    } else if (c == '{' || c == '[') {
      out += c;
      const char next = i + 1 < json.size() ? json[i + 1] : '\0';
      if (next == '}' || next == ']') {  // empty
        out += next;
        ++i;
      } else {
        ++depth;
        line();
      }
    } else if (c == '}' || c == ']') {
      --depth;
      line();
      out += c;
    } else if (c == ',') {
      out += c;
      line();
    } else if (c == ':') {
      out += ": ";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace tailcap::report
