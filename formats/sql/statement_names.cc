#include <cstdint>
#include <utility>

#include "formats/sql/reader.h"
#include "formats/sql/statement.h"

namespace tailcap::formats::sql {

namespace {

// Where FROM leads to a table: in the statement itself and in parentheses that begin with a verb, but not in
// EXTRACT(year FROM x).
class SqlLevels {
 public:
  void see(const SqlPiece& piece, std::string_view word) {
    if (piece.is("(")) {
      ++depth_;
      set(query_, false);
      set(seen_, false);
      return;
    }
    if (piece.is(")")) {
      if (depth_ > 0) --depth_;
      return;
    }
    if (get(seen_)) return;
    set(seen_, true);
    set(query_, depth_ == 0 || sql_one_of(word, {"SELECT", "WITH", "INSERT", "UPDATE", "DELETE", "MERGE", "TABLE"}));
  }
  bool query() const { return get(query_); }
  bool outermost() const { return depth_ == 0; }

 private:
  static constexpr std::size_t kDeepest = 64;
  bool get(std::uint64_t bits) const { return depth_ < kDeepest && ((bits >> depth_) & 1) != 0; }
  void set(std::uint64_t& bits, bool value) const {
    if (depth_ >= kDeepest) return;
    const std::uint64_t bit = std::uint64_t{1} << depth_;
    bits = value ? bits | bit : bits & ~bit;
  }

  std::size_t depth_ = 0;
  std::uint64_t query_ = 0, seen_ = 0;
};

std::string unquoted(const SqlPiece& piece) {
  if (piece.kind != SqlPiece::Kind::name) return sql_printable(piece.text);
  const char quote = piece.text[0];
  std::string_view inner = piece.text.substr(1);
  if (inner.ends_with(quote)) inner.remove_suffix(1);
  std::string out;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    out += inner[i];
    if (inner[i] == quote) ++i;
  }
  return sql_printable(out);
}

// Behind IF: NOT EXISTS or EXISTS. Otherwise IF is a name.
bool begins_condition(SqlReader reader) {
  const SqlPiece piece = reader.next_solid();
  return piece.kind == SqlPiece::Kind::word && sql_one_of(sql_capitals(piece.text), {"NOT", "EXISTS"});
}

// The name that begins with a piece: schema.table.
std::string sql_name(SqlPiece piece, SqlReader reader) {
  constexpr std::size_t kLongestName = 512;  // bytes; longer than two names of 64 characters each is none
  std::string name;
  for (int part = 0; part < 4; ++part) {
    if (name.size() + piece.text.size() > kLongestName) return {};
    if (!name.empty()) name += '.';
    name += unquoted(piece);
    if (!reader.next().is(".")) break;
    piece = reader.next();
    if (piece.kind != SqlPiece::Kind::word && piece.kind != SqlPiece::Kind::name) break;
  }
  return name;
}

}  // namespace

std::string operation_of(std::string_view statement) {
  SqlReader reader(statement);
  SqlPiece piece = reader.next_solid();
  while (piece.is("(") || piece.is(";")) piece = reader.next_solid();
  if (piece.kind != SqlPiece::Kind::word) return {};
  std::string first = sql_capitals(piece.text);
  if (first != "WITH") return first;
  SqlLevels levels;
  for (piece = reader.next_solid(); piece.kind != SqlPiece::Kind::end; piece = reader.next_solid()) {
    levels.see(piece, {});
    if (piece.kind != SqlPiece::Kind::word || !levels.outermost()) continue;
    std::string word = sql_capitals(piece.text);
    if (sql_one_of(word, {"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "VALUES", "TABLE"})) return word;
  }
  return first;
}

std::string table_of(std::string_view statement) {
  const std::string verb = operation_of(statement);
  // In some of these, FROM leads to a role, a cursor or a server.
  if (sql_one_of(verb, {"BEGIN", "START",  "COMMIT",  "END",        "ROLLBACK", "ABORT",    "SAVEPOINT", "RELEASE",
                        "SET",   "RESET",  "SHOW",    "USE",        "GRANT",    "REVOKE",   "FETCH",     "MOVE",
                        "CLOSE", "IMPORT", "DISCARD", "DEALLOCATE", "LISTEN",   "UNLISTEN", "NOTIFY",    "KILL"}))
    return {};
  const bool names_itself =
      sql_one_of(verb, {"INSERT", "REPLACE", "TRUNCATE", "COPY", "CALL", "EXECUTE", "EXEC", "LOCK"});
  const bool writes = sql_one_of(verb, {"INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE"});
  // Behind WITH, a statement that writes names its table itself; what it reads comes first.
  bool waits = writes, first = true;
  std::string last, wanted;  // the word before; the one behind which a name is wanted
  SqlLevels levels;
  SqlReader reader(statement);
  for (SqlPiece piece = reader.next_solid(); piece.kind != SqlPiece::Kind::end; piece = reader.next_solid()) {
    const std::string word = piece.kind == SqlPiece::Kind::word ? sql_capitals(piece.text) : std::string();
    levels.see(piece, word);
    const std::string before = std::exchange(last, word);
    if (waits && word == verb && levels.outermost()) waits = false;
    if (waits) continue;
    if (!wanted.empty()) {
      if (piece.is("(") && sql_one_of(wanted, {"FROM", "JOIN"})) continue;
      const bool name = piece.kind == SqlPiece::Kind::name;
      if (!name && piece.kind != SqlPiece::Kind::word) {
        wanted.clear();
      } else if (!name && sql_one_of(word, {"SELECT", "WITH", "VALUES", "OUTFILE", "DUMPFILE", "INSTANCE"})) {
        wanted.clear();
      } else if (!name && sql_one_of(word, {"ONLY", "LATERAL", "INTO", "TABLE", "TABLES", "LOW_PRIORITY",
                                            "HIGH_PRIORITY", "DELAYED", "IGNORE", "NOT", "EXISTS"})) {
        continue;
      } else if (wanted == "TABLE" && word == "IF" && begins_condition(reader)) {
        continue;
      } else if (verb == "SELECT" && wanted == "INTO" && sql_one_of(word, {"TEMP", "TEMPORARY", "UNLOGGED"})) {
        continue;
      } else {
        return sql_name(piece, reader);
      }
    }
    if (word.empty()) continue;
    const bool from = word == "FROM" && levels.query() && before != "DISTINCT";
    const bool update =
        word == "UPDATE" && !sql_one_of(before, {"FOR", "KEY", "DO", "ON", "BEFORE", "AFTER", "OR", "OF"});
    const bool table = word == "TABLE" || (word == "TABLES" && before == "LOCK");
    if (from || update || table || sql_one_of(word, {"INTO", "JOIN"}) || (first && names_itself && word == verb)) {
      wanted = table ? "TABLE" : word;
    }
    if (word == verb) first = false;
  }
  return {};
}

}  // namespace tailcap::formats::sql
