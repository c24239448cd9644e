#include <sqlite3.h>

#include <chrono>

#include "analyze/sql/handles.h"
#include "formats/bounds/process_bounds.h"

namespace tailcap::sql {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMaxText = 1 << 20;        // the longest text that SQL may make
constexpr int kLongestTable = 64 << 20;  // and that a table may hold while it is filled
// SQLite looks at the clock between the steps of its machine. A step that takes longer ends the program.
constexpr auto kGrace = std::chrono::seconds{1};
constexpr const char* kLate = "the SQL took longer than --timeout allows.";
constexpr int kSteps = 20'000;  // of SQLite's machine between two looks at the clock: some 0.2 ms

}  // namespace

struct Query::Impl {
  Database::Impl& database;
  Statement statement;
  std::vector<std::string> columns;
  Clock::time_point until;
  bool (*cancelled)();

  bool given_up() const { return cancelled && cancelled(); }
  static int stop(void* self) {
    const Impl& i = *static_cast<Impl*>(self);
    return i.given_up() || Clock::now() >= i.until ? 1 : 0;
  }
  ~Impl() {
    database.guard.on = false;
    sqlite3_progress_handler(database.database.get(), 0, nullptr, nullptr);
    sqlite3_limit(database.database.get(), SQLITE_LIMIT_LENGTH, kLongestTable);
  }
};

Query::Query(Database& database, std::string_view sql, formats::Duration most, bool (*cancelled)())
    : impl_(new Impl{*database.impl_, {}, {}, Clock::now() + most, cancelled}) {
  Guard& guard = impl_->database.guard;
  sqlite3* const handle = impl_->database.database.get();
  const formats::Deadline deadline(impl_->until + kGrace, kLate);
  sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, kMaxText);
  guard = {true, {}};  // until it ends: SQLite may compile it again
  sqlite3_progress_handler(handle, kSteps, Impl::stop, impl_.get());
  impl_->statement = compiled(handle, sql);
  for (int i = 0; i < sqlite3_column_count(impl_->statement.get()); ++i) {
    const char* const name = sqlite3_column_name(impl_->statement.get(), i);
    impl_->columns.emplace_back(name ? name : "");
  }
}

Query::~Query() = default;

const std::vector<std::string>& Query::columns() const { return impl_->columns; }

bool Query::next() {
  sqlite3* const handle = impl_->database.database.get();
  const formats::Deadline deadline(impl_->until + kGrace, kLate);
  switch (const int code = sqlite3_step(impl_->statement.get())) {
    case SQLITE_ROW:
      return true;
    case SQLITE_DONE:
      return false;
    case SQLITE_INTERRUPT:
      throw std::runtime_error(impl_->given_up() ? "the SQL was cancelled." : kLate);
    case SQLITE_NOMEM:
      throw std::runtime_error("the SQL needs more memory than a query may have (512 MiB).");
    default:
      if (code == SQLITE_FULL)
        throw std::runtime_error("there is no room for the intermediate results of the SQL: set TMPDIR.");
      throw Error(sqlite3_errmsg(handle));
  }
}

SqlCell Query::cell(std::size_t column) const {
  sqlite3_stmt* const row = impl_->statement.get();
  const int i = static_cast<int>(column);
  switch (sqlite3_column_type(row, i)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(row, i)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, i);
    case SQLITE_TEXT: {
      const auto* const text = reinterpret_cast<const char*>(sqlite3_column_text(row, i));
      return std::string_view(text ? text : "", text ? static_cast<std::size_t>(sqlite3_column_bytes(row, i)) : 0);
    }
    case SQLITE_BLOB: {
      const auto* const bytes = static_cast<const char*>(sqlite3_column_blob(row, i));
      return Blob{
          std::string_view(bytes ? bytes : "", bytes ? static_cast<std::size_t>(sqlite3_column_bytes(row, i)) : 0)};
    }
    default:
      return std::monostate{};
  }
}

}  // namespace tailcap::sql
