#include "analyze/render/escape.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "formats/utf8.h"
#include "ground/shell.h"
#include "ground/svg.h"

namespace tailcap::render {
namespace {

std::size_t width_of(char32_t c) {
  if ((c >= 0x300 && c < 0x370) || (c >= 0x1ab0 && c < 0x1b00) || (c >= 0x20d0 && c < 0x2100) ||
      (c >= 0xfe00 && c < 0xfe10))
    return 0;
  if ((c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) ||
      (c >= 0xf900 && c < 0xfb00) || (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) ||
      (c >= 0x1f300 && c < 0x1fb00) || (c >= 0x20000 && c < 0x40000))
    return 2;
  return 1;
}

}  // namespace

std::string html(std::string_view text) { return ground::markup_text(text); }

std::string markdown(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : ' ';
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '@':
        out += "&#64;";
        break;  // no mention of a person
      case '#':
        out += "&#35;";
        break;  // no link to an issue
      case '\n':
        out += ' ';
        break;
      case ':':  // no bare link, no :emoji:
        out += next == ' ' || (next >= '0' && next <= '9') ? ":" : "&#58;";
        break;
      case '.':  // no bare link
        out += i >= 3 && (text[i - 1] | 0x20) == 'w' && (text[i - 2] | 0x20) == 'w' ? "&#46;" : ".";
        break;
      case '\\':
      case '`':
      case '*':
      case '_':
      case '[':
      case ']':
      case '|':
      case '~':
        out += '\\';
        [[fallthrough]];
      default:
        out += c;
    }
  }
  return out;
}

std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  while (!text.empty()) {
    const formats::Character c = formats::first_character(text);
    n += c.code == formats::kNoCharacter ? 1 : width_of(c.code);
    text.remove_prefix(c.length);
  }
  return n;
}

std::string shell_word(std::string_view text) {
  const std::string shown = printable(text);
  const bool plain = !shown.empty() && shown[0] != '-' && std::all_of(shown.begin(), shown.end(), [](unsigned char c) {
    return std::isalnum(c) || c >= 0x80 ||
           std::string_view("/._+-,:@%").find(static_cast<char>(c)) != std::string::npos;
  });
  if (plain) return shown;
  return ground::shell_quoted(shown);
}

std::string shortened(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::vector<std::string_view> characters;
  for (auto rest = text; !rest.empty();) {
    const std::size_t n = formats::first_character(rest).length;
    characters.push_back(rest.substr(0, n));
    rest.remove_prefix(n);
  }
  const std::size_t front = width / 2, back = width - 1 - front;
  std::string head, tail;
  std::size_t used = 0;
  for (const auto c : characters) {
    if (used + columns(c) > front) break;
    used += columns(c);
    head += c;
  }
  used = 0;
  for (auto c = characters.rbegin(); c != characters.rend(); ++c) {
    if (used + columns(*c) > back) break;
    used += columns(*c);
    tail.insert(0, *c);
  }
  return head + "…" + tail;
}

}  // namespace tailcap::render
