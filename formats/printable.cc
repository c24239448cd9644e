#include "formats/printable.h"

#include "formats/utf8.h"
#include "ground/text.h"

namespace tailcap::formats {
namespace {

std::string byte_escape(char c) { return "\\x" + ground::hex_text(static_cast<unsigned char>(c), 2); }

// Copies `text`; what is misleading or no UTF-8 goes through `escape`, which gets the character and its first byte.
template <class Keep, class Escape>
std::string replaced(std::string_view text, Keep keep, Escape escape) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    if (c.code != kNoCharacter && keep(c.code))
      out += text.substr(0, c.length);
    else
      out += escape(c.code, text[0]);
    text.remove_prefix(c.length);
  }
  return out;
}

std::string visible(char32_t code, char first) {
  if (code == '\\') return "\\\\";
  return code < 0x80 || code == kNoCharacter ? byte_escape(first) : "\\u{" + ground::hex_text(code, 4) + "}";
}

}  // namespace

bool misleading(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || c == 0x61c || (c >= 0x200b && c <= 0x200f) ||
         (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfdd0 && c <= 0xfdef) ||
         (c >= 0xfff0 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe || (c >= 0xe0000 && c <= 0xe0fff);
}

std::string printable(std::string_view text) {
  return replaced(
      text, [](char32_t c) { return c != '\\' && !misleading(c); }, visible);
}

std::string printable_message(std::string_view text) {
  return replaced(
      text, [](char32_t c) { return c == '\n' || !misleading(c); }, visible);
}

std::string printable_json(std::string_view json) {
  // White space between values is no part of any text.
  const auto keep = [](char32_t c) { return c == '\n' || !misleading(c); };
  return replaced(json, keep, [](char32_t c, char) -> std::string {
    if (c == kNoCharacter) return "\xef\xbf\xbd";
    if (c < 0x10000) return "\\u" + ground::hex_text(c, 4);
    c -= 0x10000;
    return "\\u" + ground::hex_text(0xd800 + (c >> 10), 4) + "\\u" + ground::hex_text(0xdc00 + (c & 0x3ff), 4);
  });
}

}  // namespace tailcap::formats
