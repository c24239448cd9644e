// What begins a connection and what proves an I/O of it; whose fault an error is.
#include <algorithm>
#include <array>

#include "formats/calls/nats/nats.h"
#include "formats/calls/nats/wire.h"

namespace tailcap::formats::calls::nats {
namespace {

bool begins_any(std::string_view bytes, std::span<const std::string_view> lines) {
  return std::any_of(lines.begin(), lines.end(), [&](std::string_view line) { return bytes.starts_with(line); });
}

// What only a client says; what a server says, and answers a client with.
constexpr auto kAsk = std::to_array<std::string_view>({"PUB ", "HPUB ", "SUB ", "UNSUB "});
constexpr auto kAnswer =
    std::to_array<std::string_view>({"MSG ", "HMSG ", "+OK\r\n", "-ERR '", "PONG\r\n", "PING\r\n"});

std::string_view behind_keepalives(std::string_view bytes) {
  while (bytes.starts_with("PING\r\n") || bytes.starts_with("PONG\r\n")) bytes.remove_prefix(6);
  return bytes;
}

}  // namespace

bool begins(Side side, std::string_view bytes) {
  return bytes.starts_with(side == Side::requests ? "CONNECT {" : "INFO {");
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  if (bytes.empty() || bytes.size() > length) return false;
  const bool asks = side == Side::requests;
  const std::string_view first = asks ? behind_keepalives(bytes) : bytes;
  if (!begins_any(first, asks ? std::span<const std::string_view>(kAsk) : kAnswer)) return false;
  const std::size_t end = first.find('\n');
  if (end == first.npos || first[end - 1] != '\r') return false;
  const auto nats = machine(false);
  while (!bytes.empty()) {
    const Token t = nats->next(side, bytes);
    if (t.size == 0) return false;
    bytes.remove_prefix(t.size);
    length -= t.size;
  }
  // The next I/O can go on with data, but not with a line.
  return length > 0 || nats->at_border(side) || nats->skip(side, 1);
}

Fault fault(std::string_view error_code) {
  constexpr auto kServer = std::to_array<std::string_view>({"5", "server", "maximum connections", "maximum account"});
  std::array<char, 32> text{};
  const std::size_t n = std::min(error_code.size(), text.size());
  std::transform(error_code.begin(), error_code.begin() + static_cast<std::ptrdiff_t>(n), text.begin(), small);
  return begins_any({text.data(), n}, kServer) ? Fault::server : Fault::client;
}

}  // namespace tailcap::formats::calls::nats
