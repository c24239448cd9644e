// The protocols of calls: one row each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/calls/machine.h"
#include "formats/sql/mask.h"

namespace tailcap::formats::calls {

// In the order of the table.
enum class Kind : std::uint8_t { redis, postgresql, mysql, memcached };

enum class Fault : std::uint8_t { client, server };  // whose fault an error is

struct Protocol {
  std::string_view name;
  // The first bytes of a connection in this direction are this protocol's, and no other's. Few bytes are seldom enough.
  bool (*begins)(Side side, std::string_view bytes);
  // An I/O of `length` bytes that begins with `bytes` begins at a border of messages; it is seen in the middle of a
  // connection, and both a request and then its answer are demanded.
  bool (*proves)(Side side, std::string_view bytes, std::uint64_t length);
  // from_beginning: the next bytes of both directions are the first.
  std::unique_ptr<Machine> (*machine)(bool from_beginning);
  Fault (*fault)(std::string_view error_code);
  sql::Dialect dialect = sql::Dialect::postgresql;  // of its statements
  // An error code as text, where its bytes are none.
  std::string (*code)(std::string_view bytes) = nullptr;
};

std::span<const Protocol> protocols();
inline const Protocol& protocol_of(Kind kind) { return protocols()[static_cast<std::size_t>(kind)]; }
inline sql::Dialect dialect_of(Kind kind) { return protocol_of(kind).dialect; }
// Which protocol a connection carries, by the first bytes of a direction, and what that direction moves. only: what it
// moves is known.
struct Begun {
  Kind kind;
  Side side;
};
std::optional<Begun> begun(std::string_view bytes, std::optional<Side> only = {});

}  // namespace tailcap::formats::calls
