#include "formats/calls/table.h"

#include <algorithm>
#include <array>

#include "formats/calls/amqp/amqp.h"
#include "formats/calls/kafka/kafka.h"
#include "formats/calls/memcached/memcached.h"
#include "formats/calls/mysql/mysql.h"
#include "formats/calls/nats/nats.h"
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

// PUB or HPUB, MSG or HMSG.
bool nats_asks(Side side, std::string_view bytes) {
  if (!bytes.empty() && (bytes[0] | 0x20) == 'h') bytes.remove_prefix(1);
  const std::string_view name = side == Side::requests ? "pub" : "msg";
  return bytes.size() > name.size() &&
         std::equal(name.begin(), name.end(), bytes.begin(), [](char n, char b) { return n == (b | 0x20); });
}

// basic.publish, basic.deliver
bool amqp_asks(Side side, std::string_view bytes) {
  return bytes.substr(0, 11).substr(std::min<std::size_t>(bytes.size(), 7)) ==
         std::string_view(side == Side::requests ? "\0\x3c\0\x28" : "\0\x3c\0\x3c", 4);
}

constexpr auto kProtocols = std::to_array<Protocol>({
    {"redis", redis::begins, redis::proves, redis::machine, redis::fault},
    {"postgresql", postgresql::begins, postgresql::proves, postgresql::machine, postgresql::fault},
    {"mysql", mysql::begins, mysql::proves, mysql::machine, mysql::fault, sql::Dialect::mysql, little_endian},
    {"memcached", memcached::begins, memcached::proves, memcached::machine, memcached::fault, sql::Dialect::mysql,
     status_or_word},
    {.name = "nats",
     .begins = nats::begins,
     .proves = nats::proves,
     .machine = nats::machine,
     .fault = nats::fault,
     .asks = nats_asks},
    {.name = "kafka",
     .begins = kafka::begins,
     .proves = kafka::proves,
     .machine = kafka::machine,
     .fault = kafka::fault,
     .code = kafka::code,
     .names_requests = true},
    {.name = "amqp",
     .begins = amqp::begins,
     .proves = amqp::proves,
     .machine = amqp::machine,
     .fault = amqp::fault,
     .code = amqp::code,
     .asks = amqp_asks,
     .joint = "/"},
});

}  // namespace

std::span<const Protocol> protocols() { return kProtocols; }

std::optional<Begun> begun(std::string_view bytes, std::optional<Side> only) {
  for (const Side side : {Side::requests, Side::responses})
    for (std::size_t i = 0; (!only || *only == side) && i < kProtocols.size(); ++i)
      if (kProtocols[i].begins(side, bytes)) return Begun{static_cast<Kind>(i), side};
  return std::nullopt;
}

bool may_be_header(std::string_view bytes) {
  // A size of Kafka, with and without what it says of the request; the first packet of MySQL. HTTP/2's has nine bytes.
  constexpr char kTls = 0x16;
  if (bytes.size() != 4 && bytes.size() != 8 && bytes.size() != 12) return false;
  const bool mysql = bytes.size() == 4 && bytes[3] == '\0' && bytes[0] != kTls;
  return bytes[0] == '\0' || mysql || bytes.find_first_not_of('?') == bytes.npos;
}

}  // namespace tailcap::formats::calls
