#include "analyze/report/escape.h"

#include <array>
#include <cstdint>
#include <vector>

namespace tailcap::report {
namespace {

constexpr char32_t kInvalid = 0xffffffff;

struct Character {
  char32_t code = kInvalid;
  std::size_t length = 1;
};

// The first character of text (not empty). Overlong forms, surrogates and code points above 10FFFF are invalid.
Character first_of(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 && lead < 0xf5 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 0;
  if (length == 0 || text.size() < length) return {};
  char32_t code = lead & (0x7fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  if (code < least[length] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return {};
  return {code, length};
}

// Invisible, or changes how its neighbours are shown: controls, bidirectional marks, separators, non-characters.
bool misleading(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
         (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe ||
         (c >= 0xe0000 && c <= 0xe0fff) || c == 0x61c || (c >= 0xfdd0 && c <= 0xfdef);
}

std::size_t width_of(char32_t c) {
  if ((c >= 0x300 && c < 0x370) || (c >= 0x1ab0 && c < 0x1b00) || (c >= 0x20d0 && c < 0x2100) || (c >= 0xfe00 && c < 0xfe10)) return 0;
  if ((c >= 0x1100 && c < 0x1160) || (c >= 0x2e80 && c < 0xa4d0) || (c >= 0xac00 && c < 0xd7a4) || (c >= 0xf900 && c < 0xfb00) ||
      (c >= 0xfe30 && c < 0xfe70) || (c >= 0xff00 && c < 0xff61) || (c >= 0x1f300 && c < 0x1fb00) || (c >= 0x20000 && c < 0x40000))
    return 2;
  return 1;
}

std::string hexadecimal(char32_t n, std::size_t least_digits) {
  std::string text;
  for (; n != 0 || text.size() < least_digits; n >>= 4) text.insert(text.begin(), "0123456789abcdef"[n & 15]);
  return text;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_of(text);
    if (c.code == kInvalid || c.code < 0x20 || c.code == 0x7f) {
      out += "\\x" + hexadecimal(static_cast<unsigned char>(text[0]), 2);
    } else if (c.code == '\\') {
      out += "\\\\";
    } else if (misleading(c.code)) {
      out += "\\u{" + hexadecimal(c.code, 4) + "}";
    } else {
      out += text.substr(0, c.length);
    }
    text.remove_prefix(c.length);
  }
  return out;
}

std::string html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string markdown(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i], next = i + 1 < text.size() ? text[i + 1] : ' ';
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '@': out += "&#64;"; break;  // no mention of a person
      case '#': out += "&#35;"; break;  // no link to an issue
      case '\n': out += ' '; break;
      case ':':  // no bare link, no :emoji:
        out += next == ' ' || (next >= '0' && next <= '9') ? ":" : "&#58;";
        break;
      case '.':  // no bare link
        out += i >= 3 && (text[i - 1] | 0x20) == 'w' && (text[i - 2] | 0x20) == 'w' ? "&#46;" : ".";
        break;
      case '\\': case '`': case '*': case '_': case '[': case ']': case '|': case '~':
        out += '\\';
        [[fallthrough]];
      default: out += c;
    }
  }
  return out;
}

std::size_t columns(std::string_view text) {
  std::size_t n = 0;
  while (!text.empty()) {
    const Character c = first_of(text);
    n += c.code == kInvalid ? 1 : width_of(c.code);
    text.remove_prefix(c.length);
  }
  return n;
}

std::string shortened(std::string_view text, std::size_t width) {
  if (columns(text) <= width) return std::string(text);
  if (width == 0) return {};
  std::vector<std::string_view> characters;
  for (auto rest = text; !rest.empty();) {
    const std::size_t n = first_of(rest).length;
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

}  // namespace tailcap::report
