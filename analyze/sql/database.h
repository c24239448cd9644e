// A private SQLite database: filled by the views, then read by SQL that a person wrote.
//
// It lies in a temporary file without a name, so that its size is bounded by the disk, not by memory. Texts of the
// capture reach it as bound values only, never as SQL.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "analyze/sql/schema.h"
#include "formats/time.h"

namespace tailcap::sql {

// What is wrong with the SQL that a person wrote: a usage error.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Blob {
  std::string_view bytes;
};
// Texts and blobs are valid until the next row.
using SqlCell = std::variant<std::monostate, std::int64_t, double, std::string_view, Blob>;

class Database {
 public:
  // Throws std::runtime_error where there is no room for it.
  Database();
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // All tables and views of schema.h, empty.
  void create_tables();
  // Tables that this SQL may read, those behind views too. Throws Error: it is wrong, is more than one statement, or
  // does not only read.
  // From now on rows get only the values that it may read; others are NULL.
  std::set<std::string> tables_of(std::string_view sql);
  // Rows get all values, whatever was asked.
  void fill_all();

  // Between these two: rows are added.
  void begin_filling();
  void end_filling();
  // After that: indexes on the columns by which tables are joined, for a database that is kept.
  void add_indexes();
  // Copies it into this file, which exists and is empty. Throws std::runtime_error.
  void save(const std::string& path) const;

 private:
  friend class Inserter;
  friend class Query;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Adds rows to one table: a value for each column, in the order of the schema, then end_row().
class Inserter {
 public:
  // The table must be in the schema. database must outlive this.
  Inserter(Database& database, const char* table);
  ~Inserter();
  Inserter(const Inserter&) = delete;
  Inserter& operator=(const Inserter&) = delete;

  void null();
  void integer(std::int64_t value);
  void real(double value);
  void text(std::string_view value);  // must stay valid until end_row()
  void integer_if(bool known, std::int64_t value) { known ? integer(value) : null(); }
  void text_if(bool known, std::string_view value) { known ? text(value) : null(); }
  void text_or_null(std::string_view value) { text_if(!value.empty(), value); }
  void time(formats::Time t) { integer_if(formats::known(t), formats::nanoseconds(t)); }
  void boolean(bool value) { integer(value ? 1 : 0); }
  // Whether the next value is kept; where it is not, null() does as well.
  bool wanted() const;
  void end_row();
  std::uint64_t rows() const { return rows_; }

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::uint64_t rows_ = 0;
};

// The result of one statement that only reads, row by row.
class Query {
 public:
  // Throws Error. It may take `most` time; next() throws std::runtime_error when it takes longer, or more memory or
  // room on the disk than there is, or when cancelled() says so, and Error where a value is wrong.
  Query(Database& database, std::string_view sql, formats::Duration most, bool (*cancelled)() = nullptr);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  const std::vector<std::string>& columns() const;
  bool next();  // false: there are no more rows
  SqlCell cell(std::size_t column) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::sql
