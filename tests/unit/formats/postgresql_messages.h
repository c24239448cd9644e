// Messages of PostgreSQL, as version 15 and its clients exchanged them, and a reader that says what a machine makes of
// them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/calls/postgresql/postgresql.h"

namespace tailcap::formats::calls::postgresql_test {

using namespace std::string_literals;

inline constexpr Side kAsk = Side::requests, kAnswer = Side::responses;

inline std::string number(std::size_t n, int bytes = 4) {
  std::string text;
  for (int i = bytes - 1; i >= 0; i--) text += static_cast<char>(n >> 8 * i);
  return text;
}
inline std::string message(char type, const std::string& body = "") { return type + number(body.size() + 4) + body; }
inline std::string query(const std::string& sql) { return message('Q', sql + "\0"s); }
inline std::string parse(const std::string& name, const std::string& sql) {
  return message('P', name + "\0"s + sql + "\0\0\0"s);
}
inline std::string binding(const std::string& name, const std::string& value = "secret",
                           const std::string& portal = "") {
  return message('B', portal + "\0"s + name + "\0\0\0\0\1"s + number(value.size()) + value + "\0\0"s);
}
inline std::string describe(const std::string& name) { return message('D', "S" + name + "\0"s); }
inline std::string execute(const std::string& portal = "") { return message('E', portal + "\0\0\0\0\0"s); }
inline std::string closing(const std::string& name) { return message('C', "S" + name + "\0"s); }
inline const std::string kSync = message('S'), kFlush = message('H');
inline std::string ready(char status = 'I') { return message('Z', {status}); }
inline std::string complete(const std::string& tag) { return message('C', tag + "\0"s); }
inline const std::string kParsed = message('1'), kBound = message('2'), kClosed = message('3');
// As a server sent them: select 'two'.
inline const std::string kColumns = "T\0\0\0\x21\0\1?column?\0\0\0\0\0\0\0\0\0\0\x19\xff\xff\xff\xff\xff\xff\0\0"s;
inline const std::string kRow = "D\0\0\0\x0d\0\1\0\0\0\3two"s;
// selec
inline const std::string kError =
    "E\0\0\0\x5dSERROR\0VERROR\0C42601\0Msyntax error at or near \"selec\"\0P1\0Fscan.l\0L1188\0Rscanner_yyerror\0\0"s;
// pg_terminate_backend()
inline const std::string kFatal =
    "E\0\0\0\x74SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0Fpostgres.c\0L3211\0"
    "RProcessInterrupts\0\0"s;
inline const std::string kStartup = "\0\0\0\x24\0\3\0\0user\0raw\0database\0postgres\0\0"s;
inline const std::string kSslRequest = "\0\0\0\x08\x04\xd2\x16\x2f"s, kGssRequest = "\0\0\0\x08\x04\xd2\x16\x30"s;
inline const std::string kAuthenticated =
    message('R', "\0\0\0\0"s) + message('S', "TimeZone\0UTC\0"s) + message('K', "12345678");

struct Piece {
  Side side;
  std::string bytes;
};
using Exchange = std::vector<Piece>;

// Reads an exchange as a caller does. One line for each message, in the order of their ends.
struct Reader {
  std::unique_ptr<Machine> machine;
  std::string masked[2], open[2], messages;
  bool inside[2] = {}, refused = false;

  explicit Reader(bool from_beginning = false) : machine(postgresql::machine(from_beginning)) {}

  void end(Side side, const Token& token) {
    const auto i = static_cast<std::size_t>(side);
    if (!token.ends) return;
    EXPECT_TRUE(inside[i]);
    inside[i] = false;
    messages += (side == kAsk ? "> " : "< ") + std::string(token.operation) + open[i];
    for (const auto& [is, word] : {std::pair(token.failed, "failed"), std::pair(token.pushed, "pushed")})
      if (is) messages += (messages.back() == ' ' ? "" : " ") + std::string(word);
    if (token.further > 0) messages += " and " + std::to_string(token.further) + " further";
    messages += "\n";
    open[i].clear();
  }
  void note(Side side, const Token& token, std::string text) {
    const auto i = static_cast<std::size_t>(side);
    if (token.field == Field::none) return;
    EXPECT_TRUE(inside[i]);
    constexpr std::string_view kNames[] = {"", "", "", "sql", "def", "ref", "code", "rows"};
    const std::string name = "[" + std::string(kNames[static_cast<std::size_t>(token.field)]) + ":";
    if (open[i].rfind('[') == open[i].npos || open[i].back() == ']') open[i] += name;
    if (token.text_ends) {
      EXPECT_EQ(text, "\0"s);
      text = "]";
    }
    open[i] += text;
  }
  Reader& feed(Side side, std::string_view bytes) {
    const auto i = static_cast<std::size_t>(side);
    while (!bytes.empty() && !refused) {
      const Token token = machine->next(side, bytes);
      EXPECT_LE(token.size, bytes.size());
      refused = token.size == 0 || token.size > bytes.size();
      if (refused) break;
      std::string text(bytes.substr(0, token.size));
      if (token.part == Part::value) text.assign(token.size, '*');
      masked[i] += text;
      if (token.begins) {
        EXPECT_FALSE(inside[i]);
        inside[i] = true;
      }
      note(side, token, text);
      end(side, token);
      bytes.remove_prefix(token.size);
    }
    return *this;
  }
  Reader& all(const Exchange& exchange) {
    for (const auto& [side, bytes] : exchange) feed(side, bytes);
    return *this;
  }
};

inline std::string messages_of(const Exchange& exchange, bool from_beginning = false) {
  Reader reader(from_beginning);
  reader.all(exchange);
  EXPECT_FALSE(reader.refused);
  return reader.messages;
}

}  // namespace tailcap::formats::calls::postgresql_test
