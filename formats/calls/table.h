// The protocols of calls: one row each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "formats/calls/machine/machine.h"
#include "formats/sql/mask.h"

namespace tailcap::formats::calls {

// In the order of the table.
enum class Kind : std::uint8_t { redis, postgresql, mysql, memcached, nats, kafka, amqp };

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
  // Bytes that prove a side begin with a request of that side's own, and are no other protocol's: in the middle of a
  // connection, two of a side are enough where none is answered. Without this, only clients ask.
  bool (*asks)(Side side, std::string_view bytes) = nullptr;
  bool names_requests = false;  // responses say which request they answer (Machine::answers)
  std::string_view joint = {};  // stands between the keys of a request, where it has several
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
// A first I/O that may be no more than a header of a binary protocol, read alone, whole or as the mask leaves it.
bool may_be_header(std::string_view bytes);

}  // namespace tailcap::formats::calls
