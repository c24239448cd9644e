#include "capture/symbols/rust/punycode.h"

#include <cstddef>
#include <cstdint>

#include "formats/utf8.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::size_t kMaxCharacters = 256;

}  // namespace

std::optional<std::string> decode_punycode(std::string_view text) {
  const auto mark = text.rfind('_');
  std::u32string characters;
  if (mark != text.npos)
    for (const char c : text.substr(0, mark)) characters += static_cast<unsigned char>(c);
  text.remove_prefix(mark == text.npos ? 0 : mark + 1);
  std::uint64_t n = 0x80, i = 0, bias = 72, damp = 700;
  while (!text.empty()) {
    std::uint64_t delta = 0, weight = 1;
    for (std::uint64_t k = 36;; k += 36) {
      if (text.empty() || weight > 1u << 30) return std::nullopt;
      const char c = text.front();
      text.remove_prefix(1);
      const std::uint64_t digit = c >= 'a' && c <= 'z'   ? static_cast<std::uint64_t>(c - 'a')
                                  : c >= '0' && c <= '9' ? static_cast<std::uint64_t>(c - '0') + 26
                                                         : 36;
      if (digit == 36) return std::nullopt;
      delta += digit * weight;
      const std::uint64_t threshold = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    i += delta;
    const std::uint64_t size = characters.size() + 1;
    n += i / size;
    i %= size;
    if (!formats::is_character(n) || size > kMaxCharacters) return std::nullopt;
    characters.insert(characters.begin() + static_cast<std::ptrdiff_t>(i++), static_cast<char32_t>(n));
    delta /= damp;
    damp = 2;
    delta += delta / size;
    std::uint64_t k = 0;
    for (; delta > 35 * 26 / 2; k += 36) delta /= 35;
    bias = k + 36 * delta / (delta + 38);
  }
  std::string out;
  for (const char32_t c : characters) formats::append_utf8(out, c);
  return out;
}

}  // namespace tailcap::capture::symbols
