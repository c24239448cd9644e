// What begins a connection and what proves an I/O of it; whose fault an error is.
#include <algorithm>
#include <array>
#include <charconv>

#include "formats/calls/mysql/mysql.h"
#include "formats/calls/mysql/wire.h"

namespace tailcap::formats::calls::mysql {
namespace {

constexpr std::size_t kHeader = 4;

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

constexpr std::string_view kWords[] = {
    "ALTER",     "ANALYZE",    "BEGIN",   "BINLOG", "CACHE",    "CALL",    "CHANGE", "CHECK",    "CHECKSUM", "COMMIT",
    "CREATE",    "DEALLOCATE", "DELETE",  "DESC",   "DESCRIBE", "DO",      "DROP",   "EXECUTE",  "EXPLAIN",  "FLUSH",
    "GET",       "GRANT",      "HANDLER", "HELP",   "INSERT",   "INSTALL", "KILL",   "LOAD",     "LOCK",     "OPTIMIZE",
    "PREPARE",   "PURGE",      "RELEASE", "RENAME", "REPAIR",   "REPLACE", "RESET",  "RESIGNAL", "REVOKE",   "ROLLBACK",
    "SAVEPOINT", "SELECT",     "SET",     "SHOW",   "SHUTDOWN", "SIGNAL",  "START",  "STOP",     "TABLE",    "TRUNCATE",
    "UNINSTALL", "UNLOCK",     "UPDATE",  "USE",    "VALUES",   "WITH",    "XA"};

// The bytes begin with a statement's first word. Comments and parentheses may precede it; their text may be masked.
bool begins_statement(std::string_view text) {
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n("), text.size()));
    std::string_view end = "\n";
    if (text.starts_with("/*"))
      end = "*/";
    else if (!text.starts_with("-- ") && !text.starts_with('#'))
      break;
    const std::size_t at = text.find(end, 1);
    if (at == text.npos) return false;
    text.remove_prefix(at + end.size());
  }
  std::array<char, 12> word{};
  std::size_t n = 0;
  for (; n < text.size() && n < word.size(); n++) {
    const char c = static_cast<char>(text[n] & ~0x20);
    if (c < 'A' || c > 'Z') break;
    word[n] = c;
  }
  if (n < text.size() && (text[n] == '_' || (text[n] >= '0' && text[n] <= '9'))) return false;
  return std::find(std::begin(kWords), std::end(kWords), std::string_view(word.data(), n)) != std::end(kWords);
}

bool proves_request(std::string_view bytes, std::uint64_t length) {
  if (bytes.size() <= kHeader || bytes[3] != 0 || number(bytes, 0, 3) + kHeader != length) return false;
  const Command* const command = command_of(byte(bytes, kHeader));
  const std::string_view body = bytes.substr(kHeader + 1);
  const std::uint64_t size = length - kHeader - 1;
  if (command == nullptr) return false;
  switch (command->code) {
    case 0x01:  // QUIT, STATISTICS, DEBUG, PING, RESET
    case 0x09:
    case 0x0d:
    case 0x0e:
    case 0x1f:
      return size == 0;
    case 0x02:  // USE
      return size > 0 && size <= 256 && printable(body);
    case 0x03: {  // a query
      const bool attributes = body.size() > 2 && number(body, 0, 2) == 0x0100;
      return begins_statement(body.substr(attributes ? 2 : 0));
    }
    case 0x16:  // PREPARE
      return begins_statement(body);
    case 0x17:  // EXECUTE: a known cursor type, one iteration
      return size >= 9 && body.size() >= 9 && byte(body, 4) < 0x10 && number(body, 5, 4) == 1;
    case 0x19:  // closing and resetting statements
    case 0x1a:
      return size == 4;
    case 0x1b:  // SET OPTION: multi statements on or off
      return size == 2 && body.size() == 2 && number(body, 0, 2) <= 1;
    case 0x1c:  // FETCH
      return size == 8;
    case 0xfa:  // bulk EXECUTE: known flags
      return size >= 6 && body.size() >= 6 && (number(body, 4, 2) & ~std::uint64_t{0xc0}) == 0;
    default:
      return false;
  }
}

// OK: what is behind its numbers is not looked at, but they fit.
bool proves_ok(std::string_view payload, std::uint64_t size) {
  std::size_t at = 1;
  for (int i = 0; i < 2; i++) {
    if (at >= payload.size()) return false;
    const std::uint8_t lead = byte(payload, at);
    if (lead == 0xfb || lead == 0xff) return false;
    at += lead < 0xfb ? 1u : lead == 0xfc ? 3u : lead == 0xfd ? 4u : 9u;
  }
  constexpr std::uint64_t kMaxWarnings = 0x7fff;
  return at + 4 <= size && at + 4 <= payload.size() && number(payload, at + 2, 2) <= kMaxWarnings;
}

// A definition of a column is the second packet.
bool proves_definition(std::string_view bytes) {
  return bytes.size() >= 2 * kHeader && number(bytes, 0, 3) >= 20 && number(bytes, 0, 3) < 4096 && bytes[3] == 2 &&
         number(bytes, 4, 4) == kCatalog;
}

bool proves_response(std::string_view bytes, std::uint64_t length) {
  if (bytes.size() <= kHeader || bytes[3] != 1) return false;
  const std::uint64_t size = number(bytes, 0, 3);
  if (size == 0 || size + kHeader > length) return false;
  const bool whole = size + kHeader == length;
  const std::string_view payload = bytes.substr(kHeader);
  const std::string_view behind = payload.substr(std::min<std::size_t>(payload.size(), size));
  const std::uint8_t lead = byte(payload, 0);
  switch (lead) {
    case 0x00: {
      if (whole && size >= 7 && size < 4096 && size != 12) return proves_ok(payload, size);
      // The response to PREPARE.
      if (size != 12 || payload.size() < 12 || payload[9] != 0) return false;
      const bool nothing = number(payload, 5, 4) == 0;
      return nothing ? whole : proves_definition(behind);
    }
    case 0xff: {
      if (!whole || size < 9 || payload.size() < 9 || payload[3] != '#') return false;
      const std::uint64_t code = number(payload, 1, 2);
      return code >= 1000 && code < 10000 && std::all_of(payload.begin() + 4, payload.begin() + 9, [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
             });
    }
    case 0xfe:
      return whole && size == 5;
    case 0xfb:
    case 0xfd:
      return false;
    default: {
      const std::size_t digits = lead == 0xfc ? 3 : 1;
      if (size != digits && size != digits + 1) return false;
      if (payload.size() < size) return false;
      const std::uint64_t count = lead == 0xfc ? number(payload, 1, 2) : lead;
      return count <= kMaxColumns && (size == digits || payload[digits] == 1) && proves_definition(behind);
    }
  }
}

}  // namespace

bool begins(Side side, std::string_view bytes) {
  if (bytes.size() <= kHeader) return false;
  const std::uint64_t size = number(bytes, 0, 3);
  const std::string_view payload = bytes.substr(kHeader);
  if (side == Side::responses) {
    if (bytes[3] != 0 || payload[0] != 10 || size < 45 || size > kMaxGreeting) return false;
    const std::size_t end = payload.find('\0');
    return end != payload.npos && end > 1 && end < 128 && printable(payload.substr(1, end - 1));
  }
  constexpr std::size_t kReserved = 9, kReservedEnd = 28;
  if (bytes[3] != 2 || size <= kSslRequest || size >= (1u << 16) || payload.size() < kReservedEnd) return false;
  const std::uint64_t capabilities = number(payload, 0, 4);
  return (capabilities & kSsl) != 0 && (capabilities & kProtocol41) != 0 &&
         payload.substr(kReserved, kReservedEnd - kReserved).find_first_not_of('\0') == payload.npos;
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  return side == Side::requests ? proves_request(bytes, length) : proves_response(bytes, length);
}

Fault fault(std::string_view error_code) {
  unsigned code = 0;
  const auto [end, error] = std::from_chars(error_code.data(), error_code.data() + error_code.size(), code);
  if (error != std::errc() || end != error_code.data() + error_code.size()) return Fault::server;
  // From 1000 to 1982, all codes but these say that the statement, its data, or the right to it is at fault. They say:
  // files and tables that cannot be read or written; memory, threads and connections that there are no more of; the
  // server ends or kills; locks and deadlocks; logs, replication and transactions that fail; read-only servers.
  constexpr std::uint16_t kServer[] = {
      1004, 1006, 1009, 1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019, 1020, 1021, 1023, 1024, 1025,
      1026, 1027, 1028, 1030, 1032, 1033, 1034, 1035, 1037, 1038, 1039, 1040, 1041, 1042, 1053, 1077, 1078, 1079,
      1080, 1081, 1105, 1114, 1119, 1126, 1127, 1129, 1135, 1151, 1152, 1154, 1155, 1157, 1158, 1159, 1160, 1161,
      1180, 1181, 1182, 1183, 1184, 1188, 1189, 1190, 1194, 1195, 1197, 1201, 1202, 1203, 1205, 1206, 1213, 1218,
      1226, 1236, 1257, 1290, 1296, 1297, 1317, 1371, 1374, 1377, 1379, 1380, 1402, 1412, 1436, 1461, 1529, 1534,
      1593, 1594, 1595, 1598, 1613, 1614, 1615, 1637, 1689, 1696, 1712, 1713, 1815, 1836, 1927, 1969};
  // Above, the codes of MySQL and MariaDB are not the same: those of JSON, generated columns, check and foreign key
  // constraints, accounts and types.
  constexpr std::uint16_t kClient[] = {3065, 3105, 3118, 3140, 3141, 3142, 3143, 3144, 3145, 3146, 3147,
                                       3148, 3149, 3150, 3151, 3152, 3153, 3154, 3155, 3156, 3157, 3158,
                                       3159, 3730, 3780, 3819, 3820, 3948, 3955, 4025, 4078, 4151};
  const bool client = code >= 1000 && code <= 1982 ? !std::binary_search(std::begin(kServer), std::end(kServer), code)
                                                   : std::binary_search(std::begin(kClient), std::end(kClient), code);
  return client ? Fault::client : Fault::server;
}

}  // namespace tailcap::formats::calls::mysql
