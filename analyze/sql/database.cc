#include "analyze/sql/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#include "analyze/sql/functions.h"
#include "analyze/sql/handles.h"
#include "analyze/sql/percentile.h"
#include "formats/nearest.h"

namespace tailcap::sql {
namespace {

constexpr std::int64_t kMaxHeap = 512 << 20;  // of SQLite altogether: sorts and groups beyond that go to files
constexpr int kMaxStatement = 1 << 20;        // bytes of SQL
constexpr int kMaxDepth = 200;                // of expressions
constexpr int kMaxPattern = 1000;             // bytes of one of LIKE and GLOB
constexpr const char* kPragmas[] = {"table_info", "table_xinfo", "table_list"};
constexpr const char* kWrites =
    "the tables are read-only: give one SELECT, without ATTACH, PRAGMA and what changes data. --save OUT writes them "
    "to a file that any SQLite opens";

bool allowed_pragma(const char* name) {
  for (const char* const one : kPragmas)
    if (name && std::strcmp(name, one) == 0) return true;
  return false;
}

// What SQL that a person wrote may do: read.
int authorize(void* state, int action, const char* first, const char* second, const char*, const char*) {
  auto& guard = *static_cast<Guard*>(state);
  if (!guard.on) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_READ:
      if (const SqlTable* const table = first ? find_table(first) : nullptr) {
        guard.read.insert(table->name);
        if (second) guard.columns.emplace(table->name, second);
      }
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return second && allowed_function(second) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_PRAGMA:
      return allowed_pragma(first) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

// Whether `name` is a word of the SQL. SQLite does not report a table of which only the columns of USING are read.
bool names(std::string_view sql, std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto inside = [&](std::size_t at) {
    const char c = at < sql.size() ? lower(sql[at]) : ' ';
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  for (std::size_t at = 0; at + name.size() <= sql.size(); ++at) {
    if (at > 0 && inside(at - 1)) continue;
    if (inside(at + name.size())) continue;
    if (std::equal(name.begin(), name.end(), sql.begin() + static_cast<std::ptrdiff_t>(at),
                   [&](char a, char b) { return a == lower(b); }))
      return true;
  }
  return false;
}

// Only comments and space.
bool blank(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int code = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  const Statement compiled(statement);
  return code == SQLITE_OK && !statement;
}

// What may have been meant where this is "no such table: requests"; else empty.
std::string meant_table(std::string_view why) {
  constexpr std::string_view kNoTable = "no such table: ";
  if (!why.starts_with(kNoTable)) return {};
  std::vector<std::string_view> names;
  for (const SqlTable& table : tables())
    if (!table.internal) names.push_back(table.name);
  return formats::suggestion(why.substr(kNoTable.size()), names);
}

}  // namespace

void fail(sqlite3* database, const std::string& what) {
  throw std::runtime_error(what + ": " + (database ? sqlite3_errmsg(database) : "out of memory"));
}

void run(sqlite3* database, const std::string& sql) {
  if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
    fail(database, "the temporary database cannot be written");
}

Statement compiled(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  if (sql.size() > kMaxStatement) throw Error("the SQL has more than 1 MiB");
  const int code = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  Statement out(statement);
  if (code == SQLITE_AUTH) throw Error(kWrites);
  if (code != SQLITE_OK) {
    const std::string why = sqlite3_errmsg(database);
    throw Error(why + meant_table(why));
  }
  if (!statement) throw Error("there is no SQL in it");
  if (!blank(database, sql.substr(static_cast<std::size_t>(rest - sql.data()))))
    throw Error("give one statement, not several");
  // What returns no rows, like REINDEX, is no question.
  if (!sqlite3_stmt_readonly(statement) || sqlite3_column_count(statement) == 0) throw Error(kWrites);
  return out;
}

Database::Database() : impl_(std::make_unique<Impl>()) {
  sqlite3* opened = nullptr;
  // No name: a file that has none, removed when it is closed.
  const int code = sqlite3_open_v2("", &opened, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr);
  impl_->database.reset(opened);
  if (code != SQLITE_OK) fail(opened, "cannot make a temporary database");
  sqlite3_hard_heap_limit64(kMaxHeap);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0, nullptr);
  sqlite3_limit(opened, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, kMaxPattern);
  sqlite3_limit(opened, SQLITE_LIMIT_EXPR_DEPTH, kMaxDepth);
  sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);
  run(opened, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536");
  add_percentile(opened);
  sqlite3_set_authorizer(opened, authorize, &impl_->guard);
}

Database::~Database() = default;

void Database::create_tables() {
  for (const SqlTable& table : tables()) run(impl_->database.get(), created_by(table));
  // Functions that are tables define themselves when they are first used, which the guard would refuse.
  run(impl_->database.get(),
      "SELECT count(*) FROM json_each('[]'), json_tree('[]'), pragma_table_info('loss'), pragma_table_list");
}

std::set<std::string> Database::tables_of(std::string_view sql) {
  impl_->guard = {.on = true};
  try {
    compiled(impl_->database.get(), sql);
  } catch (...) {
    impl_->guard.on = false;
    throw;
  }
  impl_->guard.on = false;
  impl_->asked = Asked{std::string(sql), std::move(impl_->guard.columns)};
  std::set<std::string> out = std::move(impl_->guard.read);
  for (const SqlTable& table : tables())
    if (!table.view && names(sql, table.name)) out.insert(table.name);
  return out;
}

void Database::fill_all() { impl_->asked.reset(); }

// SQLite does not report the columns by which USING and NATURAL join.
bool Database::Impl::may_be_read(const SqlTable& table, const SqlColumn& column) const {
  if (!asked || asked->columns.contains({table.name, std::string(column.name)}) || names(asked->sql, column.name) ||
      names(asked->sql, "natural"))
    return true;
  return std::ranges::any_of(
      table.columns, [&](const SqlColumn& other) { return other.same_as == column.name && may_be_read(table, other); });
}

void Database::begin_filling() { run(impl_->database.get(), "BEGIN"); }
void Database::end_filling() { run(impl_->database.get(), "COMMIT"); }

void Database::add_indexes() {
  run(impl_->database.get(),
      "CREATE INDEX request_by_id ON request(id); CREATE INDEX request_by_old_id ON request(request_id); CREATE INDEX "
      "request_by_trace ON request(trace_id);"
      "CREATE INDEX segment_by_request ON segment(request_id); CREATE INDEX account_by_request ON account(request_id);"
      "CREATE INDEX link_by_effect ON link(to_request_id); CREATE INDEX link_by_cause ON link(from_request_id);"
      "CREATE INDEX thread_state_by_thread ON thread_state(utid, ts); CREATE INDEX sample_by_thread ON sample(utid, "
      "ts)");
}

void Database::save(const std::string& path) const {
  sqlite3* opened = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &opened, SQLITE_OPEN_READWRITE, nullptr);
  const Handle out(opened);
  if (code != SQLITE_OK) fail(opened, "cannot write the database");
  run(opened, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF");
  sqlite3_backup* const backup = sqlite3_backup_init(opened, "main", impl_->database.get(), "main");
  if (!backup) fail(opened, "cannot write the database");
  const int copied = sqlite3_backup_step(backup, -1);
  sqlite3_backup_finish(backup);
  if (copied != SQLITE_DONE) fail(opened, "cannot write the database");
}

struct Inserter::Impl {
  Statement statement;
  sqlite3* database = nullptr;
  std::vector<int> places;  // of the columns in the statement, from 1; 0: not wanted
  std::size_t next = 0;

  int place() {
    assert(next < places.size());
    return places[next++];
  }
};

Inserter::Inserter(Database& database, const char* table) : impl_(std::make_unique<Impl>()) {
  const SqlTable* const found = find_table(table);
  assert(found && !found->view);
  std::string into, values;
  int wanted = 0;
  for (const SqlColumn& column : found->columns) {
    if (!column.same_as.empty()) continue;
    const bool kept = database.impl_->may_be_read(*found, column);
    impl_->places.push_back(kept ? ++wanted : 0);
    if (!kept) continue;
    (into += into.empty() ? "\"" : ", \"").append(column.name) += '"';
    values += values.empty() ? "?" : ", ?";
  }
  const std::string sql = std::string("INSERT INTO ") + table +
                          (wanted == 0 ? " DEFAULT VALUES" : " (" + into + ") VALUES (" + values + ")");
  impl_->database = database.impl_->database.get();
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(impl_->database, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
    fail(impl_->database, "the temporary database cannot be written");
  impl_->statement.reset(statement);
}

Inserter::~Inserter() = default;

bool Inserter::wanted() const { return impl_->places[impl_->next] != 0; }

void Inserter::null() {
  if (const int place = impl_->place()) sqlite3_bind_null(impl_->statement.get(), place);
}
void Inserter::integer(std::int64_t value) {
  if (const int place = impl_->place()) sqlite3_bind_int64(impl_->statement.get(), place, value);
}
void Inserter::real(double value) {
  if (const int place = impl_->place()) sqlite3_bind_double(impl_->statement.get(), place, value);
}
void Inserter::text(std::string_view value) {
  // An empty view may have no address, which would be NULL.
  if (const int place = impl_->place())
    sqlite3_bind_text64(impl_->statement.get(), place, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC,
                        SQLITE_UTF8);
}

void Inserter::end_row() {
  assert(impl_->next == impl_->places.size());
  impl_->next = 0;
  if (sqlite3_step(impl_->statement.get()) != SQLITE_DONE)
    fail(impl_->database, "the temporary database cannot be written (TMPDIR chooses where it is)");
  sqlite3_reset(impl_->statement.get());
  ++rows_;
}

}  // namespace tailcap::sql
