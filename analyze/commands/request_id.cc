#include "analyze/commands/request_id.h"

#include <charconv>

namespace tailcap::commands {

std::optional<flow::ExchangeId> parse_id(const std::string& text) {
  flow::ExchangeId id;
  const char* end = text.data() + text.size();
  const auto [dot, error] = std::from_chars(text.data(), end, id.connection);
  if (error != std::errc{} || dot == end || *dot != '.') return std::nullopt;
  const auto [rest, error2] = std::from_chars(dot + 1, end, id.index);
  if (error2 != std::errc{} || rest != end || id.connection == 0 || id.index == 0) return std::nullopt;
  return id;
}

}  // namespace tailcap::commands
