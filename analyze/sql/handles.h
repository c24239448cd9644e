// SQLite's handles, for the sources of this folder only.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/sql/database.h"

struct sqlite3;
struct sqlite3_stmt;
extern "C" {
int sqlite3_close_v2(sqlite3*);
int sqlite3_finalize(sqlite3_stmt*);
}

namespace tailcap::sql {

struct Close {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3, Close>;
using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;

// Whether the SQL at hand is a person's, and which tables it reads.
struct Guard {
  bool on = false;
  std::set<std::string> read = {};
  std::set<std::pair<std::string, std::string>> columns = {};  // of tables
};

// What a person's SQL may read.
struct Asked {
  std::string sql;
  std::set<std::pair<std::string, std::string>> columns;
};

struct Database::Impl {
  Guard guard;
  std::optional<Asked> asked;  // nothing: everything
  Handle database;

  bool may_be_read(const SqlTable& table, const SqlColumn& column) const;
};

[[noreturn]] void fail(sqlite3* database, const std::string& what);
// SQL of our own.
void run(sqlite3* database, const std::string& sql);
// One statement that only reads. Throws Error.
Statement compiled(sqlite3* database, std::string_view sql);

}  // namespace tailcap::sql
