// What begins a connection and what proves an I/O of it; whose fault an error is.
#include <algorithm>
#include <array>

#include "formats/calls/redis/redis.h"

namespace tailcap::formats::calls::redis {
namespace {

// All of the bytes are messages, as far as they can be seen: they end at a border, or in a bulk that may go on.
bool whole(Side side, std::string_view bytes, std::uint64_t length, std::size_t& messages) {
  const auto resp = machine(false);
  messages = 0;
  for (std::size_t at = 0; at < bytes.size();) {
    const Token t = resp->next(side, bytes.substr(at));
    if (t.size == 0) return false;
    at += t.size;
    messages += t.ends;
  }
  return length > bytes.size() || resp->at_border(side);
}

}  // namespace

bool begins(Side side, std::string_view bytes) {
  return side == Side::requests && bytes.size() >= 2 && bytes[0] == '*' && bytes[1] >= '1' && bytes[1] <= '9';
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  std::size_t messages = 0;
  if (side == Side::requests && !begins(side, bytes)) return false;  // without a machine: most I/Os are none
  if (bytes.size() < 4 || !whole(side, bytes, length, messages)) return false;
  if (side == Side::responses) return messages > 0 || bytes[0] == '$' || bytes[0] == '*' || bytes[0] == '%';
  // *1 CR LF $4 CR LF PING
  const std::size_t first = bytes.find('\n'), second = first == bytes.npos ? bytes.npos : bytes.find('\n', first + 1);
  if (second == bytes.npos) return false;
  const std::size_t end = bytes.find('\r', second);
  if (end == bytes.npos) return false;
  Name name;
  name.add(bytes.substr(second + 1, end - second - 1));
  // A replica speaks so, and is never answered.
  if (name.text() == "REPLCONF" || name.text() == "PSYNC" || name.text() == "SYNC") return false;
  return command(name.text()) != nullptr;
}

Fault fault(std::string_view error_code) {
  constexpr auto kServer = std::to_array<std::string_view>({
      "BUSY",
      "CLUSTERDOWN",
      "LOADING",
      "MASTERDOWN",
      "MISCONF",
      "NOREPLICAS",
      "OOM",
      "READONLY",
      "TRYAGAIN",
  });
  return std::find(kServer.begin(), kServer.end(), error_code) != kServer.end() ? Fault::server : Fault::client;
}

}  // namespace tailcap::formats::calls::redis
