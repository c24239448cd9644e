#include "capture/symbols/rust/escaped_name.h"

#include <cstddef>
#include <cstdint>

#include "formats/utf8.h"

namespace tailcap::capture::symbols {

namespace {

// "$LT$": '<'; 0: none of them.
std::uint32_t escaped(std::string_view name) {
  struct Escape {
    std::string_view name;
    char character;
  };
  constexpr Escape kEscapes[] = {{"SP", '@'}, {"BP", '*'}, {"RF", '&'}, {"LT", '<'},
                                 {"GT", '>'}, {"LP", '('}, {"RP", ')'}, {"C", ','}};
  for (const Escape& e : kEscapes) {
    if (e.name == name) return static_cast<std::uint32_t>(e.character);
  }
  if (name.size() < 2 || name.size() > 7 || name[0] != 'u') return 0;
  std::uint32_t c = 0;
  for (const char digit : name.substr(1)) {
    if ((digit < '0' || digit > '9') && (digit < 'a' || digit > 'f')) return 0;
    c = c << 4 | static_cast<std::uint32_t>(digit <= '9' ? digit - '0' : digit - 'a' + 10);
  }
  return formats::is_character(c) ? c : 0;
}

}  // namespace

std::optional<std::string> without_rust_escapes(std::string_view name) {
  constexpr std::size_t kHash = 19;  // "::h0123456789abcdef"
  if (name.size() <= kHash || name.substr(name.size() - kHash, 3) != "::h" ||
      name.substr(name.size() - 16).find_first_not_of("0123456789abcdef") != name.npos)
    return std::nullopt;
  name.remove_suffix(kHash);
  std::string out;
  bool begins = true;  // a part of the path
  while (!name.empty()) {
    if (begins && name.starts_with("_$")) name.remove_prefix(1);
    begins = name.starts_with("::");
    if (begins || name.starts_with("..")) {
      out += "::";
      name.remove_prefix(2);
      continue;
    }
    const auto end = name[0] == '$' ? name.find('$', 1) : name.npos;
    const std::uint32_t character = end == name.npos ? 0 : escaped(name.substr(1, end - 1));
    if (character != 0)
      formats::append_utf8(out, character);
    else
      out += name[0];
    name.remove_prefix(character != 0 ? end + 1 : 1);
  }
  return out;
}

}  // namespace tailcap::capture::symbols
