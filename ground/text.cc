#include "ground/text.h"

#include <array>
#include <cmath>

namespace tailcap::ground {
namespace {

constexpr char kDigits[] = "0123456789abcdef";

// In integers, because doubles are rounded differently where compilers differ. value: thousandths.
std::string decimal(std::uint64_t value, int decimals) {
  const std::uint64_t step = decimals == 2 ? 10 : decimals == 1 ? 100 : 1000;
  const std::uint64_t rounded = (value + step / 2) / step, scale = 1000 / step;
  std::string text = std::to_string(rounded / scale);
  if (decimals == 0) return text;
  const std::string part = std::to_string(rounded % scale);
  return text + "." + std::string(static_cast<std::size_t>(decimals) - part.size(), '0') + part;
}

}  // namespace

std::string percent_text(double ratio) {
  const double size = std::abs(ratio) * 100;
  if (!std::isfinite(size) || size >= 1e15) return "–";
  if (size == 0) return "0 %";
  const std::string sign = ratio < 0 ? "-" : "";
  if (size < 0.01) return (ratio < 0 ? "0 %" : "<0.01 %");
  if (size == 100) return sign + "100 %";
  const auto thousandths = static_cast<std::uint64_t>(std::llround(size * 1000));
  return sign + decimal(thousandths, thousandths < 995 ? 2 : thousandths < 100'000 ? 1 : 0) + " %";
}

std::string share_text(double part, double whole) {
  if (!(whole > 0) || !std::isfinite(whole) || !std::isfinite(part)) return "–";
  if (part <= 0) return "0 %";
  if (part >= whole) return "100 %";
  const double share = part / whole;
  return share > 0.999 ? ">99.9 %" : percent_text(share);
}

std::string share_text(std::uint64_t part, std::uint64_t whole) {
  // Equal after conversion but not equal: large counts must not round to all.
  if (part < whole && static_cast<double>(part) >= static_cast<double>(whole)) return ">99.9 %";
  return share_text(static_cast<double>(part), static_cast<double>(whole));
}

std::string hex_text(std::uint64_t number, int digits) {
  std::array<char, 16> text;
  std::size_t first = text.size();
  for (; number != 0 || (digits > 0 && first > 0); number >>= 4, --digits) text[--first] = kDigits[number & 15];
  return {text.data() + first, text.size() - first};
}

std::string hex_text(std::string_view bytes) {
  std::string out;
  out.reserve(2 * bytes.size());
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4];
    out += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::string listed(std::span<const std::string> parts) {
  if (parts.size() < 2) return joined(parts);
  return joined(parts.first(parts.size() - 1)) + " and " + parts.back();
}

}  // namespace tailcap::ground
