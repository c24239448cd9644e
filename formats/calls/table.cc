#include "formats/calls/table.h"

#include <array>

#include "formats/calls/memcached/memcached.h"
#include "formats/calls/mysql/mysql.h"
#include "formats/calls/postgresql/postgresql.h"
#include "formats/calls/redis/redis.h"

namespace tailcap::formats::calls {

namespace {

unsigned byte_of(char c) { return static_cast<unsigned char>(c); }

std::string little_endian(std::string_view bytes) {
  if (bytes.size() < 2) return "";
  bytes.remove_prefix(bytes.size() - 2);  // reports of progress may stand before it
  return std::to_string(byte_of(bytes[0]) | byte_of(bytes[1]) << 8);
}

// A status of the binary protocol, or a word of the text protocol.
std::string status_or_word(std::string_view bytes) {
  if (bytes.size() != 2) return std::string(bytes);
  return std::to_string(byte_of(bytes[0]) << 8 | byte_of(bytes[1]));
}

constexpr auto kProtocols = std::to_array<Protocol>({
    {"redis", redis::begins, redis::proves, redis::machine, redis::fault},
    {"postgresql", postgresql::begins, postgresql::proves, postgresql::machine, postgresql::fault},
    {"mysql", mysql::begins, mysql::proves, mysql::machine, mysql::fault, sql::Dialect::mysql, little_endian},
    {"memcached", memcached::begins, memcached::proves, memcached::machine, memcached::fault, sql::Dialect::mysql,
     status_or_word},
});

}  // namespace

std::span<const Protocol> protocols() { return kProtocols; }

std::optional<Begun> begun(std::string_view bytes, std::optional<Side> only) {
  for (const Side side : {Side::requests, Side::responses})
    for (std::size_t i = 0; (!only || *only == side) && i < kProtocols.size(); ++i)
      if (kProtocols[i].begins(side, bytes)) return Begun{static_cast<Kind>(i), side};
  return std::nullopt;
}

}  // namespace tailcap::formats::calls
