#include "analyze/sql/database.h"

#include <gtest/gtest.h>

#include <chrono>
#include <set>

namespace tailcap::sql {
namespace {

using namespace std::chrono_literals;

struct Filled : testing::Test {
  Filled() {
    database.create_tables();
    database.begin_filling();
    Inserter row(database, "loss");
    for (int i = 0; i < 3; ++i) {
      row.null();
      row.integer(i);
      row.integer(10 * i);
      row.text(i == 1 ? "'); DROP TABLE loss; --" : "ring full");
      row.end_row();
    }
    database.end_filling();
  }
  std::int64_t number(const std::string& sql) {
    Query query(database, sql, 10s);
    EXPECT_TRUE(query.next());
    return std::get<std::int64_t>(query.cell(0));
  }
  Database database;
};

// Only what SQL may read is kept, whichever way it names it.
TEST(Columns, WhatSqlReadsIsThere) {
  const auto filled = [](Database& database) {
    database.begin_filling();
    for (const char* name : {"request", "account"}) {
      Inserter row(database, name);
      for (const SqlColumn& column : find_table(name)->columns) {
        if (!column.same_as.empty()) continue;
        if (column.type == SqlType::integer)
          row.integer(7);
        else
          row.text("seven");
      }
      row.end_row();
    }
    database.end_filling();
  };
  const auto answer = [&](const std::string& sql) {
    Database database;
    database.create_tables();
    database.tables_of(sql);
    filled(database);
    Query query(database, sql, 10s);
    std::string out;
    while (query.next())
      for (std::size_t i = 0; i < query.columns().size(); ++i) {
        const SqlCell cell = query.cell(i);
        if (const auto* text = std::get_if<std::string_view>(&cell)) out.append(*text) += ' ';
        if (const auto* number = std::get_if<std::int64_t>(&cell)) out += std::to_string(*number) + " ";
        if (std::holds_alternative<std::monostate>(cell)) out += "NULL ";
      }
    return out;
  };
  std::size_t columns = 0;
  for (const char* name : {"request", "account"})
    for (const SqlColumn& column : find_table(name)->columns) {
      const std::string one(column.name), value = column.type == SqlType::integer ? "7 " : "seven ";
      for (const std::string& sql :
           {"SELECT " + one + " FROM " + name, "SELECT x.\"" + one + "\" FROM " + name + " AS x",
            "SELECT [" + one + "] FROM (SELECT * FROM " + name + ")",
            "WITH r AS (SELECT * FROM " + std::string(name) + ") SELECT max(" + one + ") FROM r",
            "SELECT (SELECT `" + one + "` FROM " + name + ")"})
        EXPECT_EQ(answer(sql), value) << sql;
      ++columns;
    }
  EXPECT_GT(columns, 70u);
  EXPECT_EQ(answer("SELECT * FROM request").find("NULL"), std::string::npos);
  EXPECT_EQ(answer("SELECT count(*) FROM request JOIN account USING (request_id)"), "1 ");
  EXPECT_EQ(answer("SELECT count(*) FROM request NATURAL JOIN account"), "1 ");
  EXPECT_EQ(answer("SELECT count(*) FROM request r, account a WHERE r.id = a.request_id AND r.DUR = a.dur"), "1 ");
  EXPECT_EQ(answer("SELECT label FROM account ORDER BY phase"), "seven ");
  // The others are left out, and all are there where all are to be saved.
  for (const bool all : {false, true}) {
    Database database;
    database.create_tables();
    database.tables_of("SELECT count(*) FROM request");
    if (all) database.fill_all();
    filled(database);
    Query status(database, "SELECT status FROM request", 10s);
    ASSERT_TRUE(status.next());
    EXPECT_EQ(std::holds_alternative<std::int64_t>(status.cell(0)), all);
  }
}

TEST_F(Filled, TextsAreValuesWhateverTheySay) {
  EXPECT_EQ(number("SELECT count(*) FROM loss"), 3);
  Query query(database, "SELECT what, ts FROM loss WHERE dur = 1", 10s);
  ASSERT_TRUE(query.next());
  EXPECT_EQ(std::get<std::string_view>(query.cell(0)), "'); DROP TABLE loss; --");
  EXPECT_TRUE(std::holds_alternative<std::monostate>(query.cell(1)));
  EXPECT_FALSE(query.next());
}

TEST_F(Filled, OnlyReads) {
  for (const char* sql : {"DELETE FROM loss",
                          "UPDATE loss SET dur = 1",
                          "INSERT INTO loss VALUES (1, 1, 1, 'x')",
                          "DROP TABLE loss",
                          "CREATE TABLE x (a)",
                          "CREATE TEMP TABLE x (a)",
                          "CREATE TEMP VIEW v AS SELECT 1",
                          "ATTACH '/tmp/x' AS x",
                          "DETACH main",
                          "PRAGMA query_only = 0",
                          "PRAGMA journal_mode = WAL",
                          "PRAGMA writable_schema = 1",
                          "VACUUM",
                          "VACUUM INTO '/tmp/tailcap-must-not-exist.sqlite'",
                          "BEGIN",
                          "ANALYZE",
                          "SELECT load_extension('/tmp/x.so')",
                          "CREATE VIRTUAL TABLE x USING fts5(a)",
                          "SELECT 1; SELECT 2",
                          "SELECT 1; DROP TABLE loss",
                          "SELEC 1",
                          "",
                          " ; ",
                          "SELECT * FROM nothing"}) {
    EXPECT_THROW(Query(database, sql, 10s), Error) << sql;
    EXPECT_THROW(database.tables_of(sql), Error) << sql;
  }
  EXPECT_EQ(number("SELECT count(*) FROM loss"), 3);
}

TEST_F(Filled, WhatReadsIsAllowed) {
  EXPECT_EQ(number("WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a WHERE x < 10) SELECT sum(x) FROM a"),
            55);
  EXPECT_EQ(number("SELECT count(*) FROM pragma_table_info('loss')"), 4);
  EXPECT_EQ(number("SELECT sum(value) FROM json_each('[1, 2, 3]')"), 6);
  EXPECT_EQ(number("SELECT 1; -- and a remark"), 1);
}

TEST_F(Filled, NamesTheTablesBehindViewsToo) {
  using Names = std::set<std::string>;
  EXPECT_EQ(database.tables_of("SELECT dur FROM loss JOIN request USING (dur)"), (Names{"loss", "request"}));
  EXPECT_EQ(database.tables_of("SELECT count(*) FROM Loss"), (Names{"loss"}));
  const Names read = database.tables_of("SELECT TraceId FROM otel_traces");
  EXPECT_TRUE(read.contains("_span"));
  EXPECT_FALSE(read.contains("request"));
}

TEST_F(Filled, GivesUpWhatTakesTooLong) {
  Query query(database, "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT sum(x) FROM a", 50ms);
  const auto began = std::chrono::steady_clock::now();
  EXPECT_THROW(query.next(), std::runtime_error);
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s);
}

TEST_F(Filled, LimitsTexts) {
  EXPECT_ANY_THROW({
    Query query(database, "SELECT length(zeroblob(1000000000))", 10s);
    query.next();
  });
  EXPECT_ANY_THROW({
    Query query(database, "SELECT length(hex(zeroblob(60000000)))", 10s);
    query.next();
  });
}

TEST(Schema, EveryTableHasColumnsOfItsOwn) {
  Database database;
  database.create_tables();
  std::set<std::string> names;
  for (const SqlTable& table : tables()) {
    EXPECT_TRUE(names.insert(table.name).second) << table.name;
    Query query(database, std::string("SELECT * FROM \"") + table.name + "\"", 10s);
    ASSERT_EQ(query.columns().size(), table.columns.size()) << table.name;
    for (std::size_t i = 0; i < table.columns.size(); ++i) EXPECT_EQ(query.columns()[i], table.columns[i].name);
    EXPECT_FALSE(query.next()) << table.name;
  }
}

}  // namespace
}  // namespace tailcap::sql
