// What MySQL's packets consist of: their numbers and flags, the pieces of their payloads, the commands.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::mysql {

// Capabilities. What both ends have set is agreed on.
inline constexpr std::uint32_t kCompress = 1u << 5, kProtocol41 = 1u << 9, kSsl = 1u << 11;
inline constexpr std::uint32_t kDeprecateEof = 1u << 24, kOptionalMetadata = 1u << 25, kZstd = 1u << 26;
inline constexpr std::uint32_t kQueryAttributes = 1u << 27;

inline constexpr std::uint32_t kMaxPacket = 0xffffff;  // a packet of this length goes on in the next one
inline constexpr std::uint32_t kMaxGreeting = 512;     // versions have at most 60 characters, everything else 100
inline constexpr std::uint32_t kSslRequest = 32;       // a HandshakeResponse has a user name behind these bytes
inline constexpr std::uint64_t kMaxColumns = 4096;     // a limit of all servers
inline constexpr std::uint32_t kCatalog = 0x66656403;  // "def" and its length, before each definition of a column

inline std::uint8_t byte(std::string_view bytes, std::size_t at) { return static_cast<std::uint8_t>(bytes[at]); }

inline std::uint64_t number(std::string_view bytes, std::size_t at, std::size_t size) {
  std::uint64_t n = 0;
  for (std::size_t i = 0; i < size; i++) n |= std::uint64_t{byte(bytes, at + i)} << (8 * i);
  return n;
}

// A payload is a row of pieces. Their sizes: to the end, length-encoded, up to a NUL.
inline constexpr std::uint8_t kRest = 0xff, kNumber = 0xfe, kText = 0xfd;

// What a piece's number is good for.
enum class Use : std::uint8_t {
  nothing,
  choice,      // its first byte decides how the packet goes on
  zeros,       // reserved bytes
  server_low,  // capabilities
  server_high,
  client,
  ssl,
  one,
  status,
  code,
  columns,
  parameters,
  results,
  metadata,
  catalog,
};

struct Piece {
  std::uint8_t size;
  Part part = Part::framing;
  Use use = Use::nothing;
  Field field = Field::none;
};
using Plan = std::span<const Piece>;

inline constexpr Piece kHidden[] = {{kRest, Part::value}};
inline constexpr Piece kPlain[] = {{1}, {kRest, Part::value}};  // a first byte that is a code, and a value

inline constexpr Piece kGreeting[] = {{1},
                                      {kText},
                                      {13, Part::value},
                                      {2, Part::framing, Use::server_low},
                                      {3},
                                      {2, Part::framing, Use::server_high},
                                      {kRest, Part::value}};
inline constexpr Piece kSslPlan[] = {{4, Part::framing, Use::ssl}, {kRest}};
inline constexpr Piece kHandshake[] = {
    {4, Part::framing, Use::client}, {5}, {19, Part::value, Use::zeros}, {kRest, Part::value}};

// The text of a query.
inline constexpr Piece kStatement[] = {{kRest, Part::statement, Use::nothing, Field::statement}};
// No query attributes, in one set; some, in one set; text or attributes: the byte behind the first decides.
inline constexpr Piece kNoAttributes[] = {{1}, {1, Part::framing, Use::one}, kStatement[0]};
inline constexpr Piece kAttributes[] = {{1}, {kRest, Part::value}};
inline constexpr Piece kPerhapsAttributes[] = {{1, Part::statement, Use::nothing, Field::statement},
                                               {kRest, Part::value, Use::choice}};

// Affected rows are a count; the last inserted id is a value.
inline constexpr Piece kOk[] = {{1}, {kNumber},           {kNumber, Part::value}, {2, Part::framing, Use::status},
                                {2}, {kRest, Part::value}};
inline constexpr Piece kEof[] = {{1}, {2}, {2, Part::framing, Use::status}};
inline constexpr Piece kError[] = {
    {1}, {2, Part::framing, Use::code, Field::error_code}, {kRest, Part::value, Use::choice}};
inline constexpr Piece kState[] = {{6}, {kRest, Part::value}};  // # and SQLSTATE
inline constexpr Piece kCount[] = {{kNumber, Part::framing, Use::columns}};
inline constexpr Piece kCountAndFlag[] = {{kNumber, Part::framing, Use::columns}, {1, Part::framing, Use::metadata}};
inline constexpr Piece kDefinition[] = {{4, Part::framing, Use::catalog}, {kRest, Part::value}};
inline constexpr Piece kPrepared[] = {{1},
                                      {4, Part::framing, Use::nothing, Field::definition},
                                      {2, Part::framing, Use::results},
                                      {2, Part::framing, Use::parameters},
                                      {3},
                                      {kRest, Part::value}};

// What answers a command.
enum class Kind : std::uint8_t { none, result, simple, prepare, fields, rows, text, login, stream, unknown };

struct Command {
  std::uint8_t code;
  Kind kind;
  Plan plan;
  std::string_view name;
};

// Null: no such command.
const Command* command_of(std::uint8_t code);

}  // namespace tailcap::formats::calls::mysql
