#include <algorithm>
#include <iterator>

#include "formats/calls/mysql/wire.h"

namespace tailcap::formats::calls::mysql {
namespace {

constexpr Piece kQuery[] = {{1}, {kRest, Part::value, Use::choice}};
constexpr Piece kPrepare[] = {{1}, kStatement[0]};
constexpr Piece kReference = {4, Part::framing, Use::nothing, Field::reference};
constexpr Piece kExecute[] = {{1}, kReference, {5}, {kRest, Part::value}};
constexpr Piece kBulk[] = {{1}, kReference, {2}, {kRest, Part::value}};
constexpr Piece kFetch[] = {{1}, kReference, {4}};
constexpr Piece kReset[] = {{1}, kReference};
constexpr Piece kClose[] = {{1}, {4}};
constexpr Piece kLongData[] = {{1}, {6}, {kRest, Part::value}};

constexpr Command kCommands[] = {
    {0x01, Kind::none, kPlain, "QUIT"},
    {0x02, Kind::simple, kPlain, "USE"},
    {0x03, Kind::result, kQuery, ""},
    {0x04, Kind::fields, kPlain, "FIELD LIST"},
    {0x05, Kind::simple, kPlain, "CREATE DATABASE"},
    {0x06, Kind::simple, kPlain, "DROP DATABASE"},
    {0x07, Kind::simple, kPlain, "REFRESH"},
    {0x08, Kind::simple, kPlain, "SHUTDOWN"},
    {0x09, Kind::text, kPlain, "STATISTICS"},
    {0x0a, Kind::result, kPlain, "PROCESS LIST"},
    {0x0c, Kind::simple, kPlain, "KILL"},
    {0x0d, Kind::simple, kPlain, "DEBUG"},
    {0x0e, Kind::simple, kPlain, "PING"},
    {0x11, Kind::login, kPlain, "CHANGE USER"},
    {0x12, Kind::stream, kPlain, "BINLOG DUMP"},
    {0x15, Kind::simple, kPlain, "REGISTER REPLICA"},
    {0x16, Kind::prepare, kPrepare, "PREPARE"},
    {0x17, Kind::result, kExecute, "EXECUTE"},
    {0x18, Kind::none, kLongData, ""},
    {0x19, Kind::none, kClose, ""},
    {0x1a, Kind::simple, kReset, "RESET STATEMENT"},
    {0x1b, Kind::simple, kPlain, "SET OPTION"},
    {0x1c, Kind::rows, kFetch, "FETCH"},
    {0x1e, Kind::stream, kPlain, "BINLOG DUMP"},
    {0x1f, Kind::simple, kPlain, "RESET"},
    {0xfa, Kind::result, kBulk, "EXECUTE"},
};

}  // namespace

const Command* command_of(std::uint8_t code) {
  const auto* const found =
      std::find_if(std::begin(kCommands), std::end(kCommands), [code](const Command& c) { return c.code == code; });
  return found == std::end(kCommands) ? nullptr : found;
}

}  // namespace tailcap::formats::calls::mysql
