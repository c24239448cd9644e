#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "formats/sql/mask.h"
#include "formats/sql/statement.h"

namespace tailcap::formats::sql {
namespace {

// Two marks and a quote sign would be a trigraph: '~' stands for a mark.
std::string q(std::string text) {
  std::replace(text.begin(), text.end(), '~', '?');
  return text;
}

constexpr Dialect kDialects[] = {Dialect::postgresql, Dialect::mysql};

std::string masked(Dialect dialect, std::string text) {
  Mask mask(dialect);
  mask.mask(text);
  return text;
}
std::string pg(std::string text) { return masked(Dialect::postgresql, std::move(text)); }
std::string my(std::string text) { return masked(Dialect::mysql, std::move(text)); }
std::string shown_pg(std::string text) { return shown_statement(pg(std::move(text)), 1000); }
std::string shown_my(std::string text) { return shown_statement(my(std::move(text)), 1000); }

// What both dialects read alike.
void both(const std::string& text, const std::string& wanted) {
  EXPECT_EQ(pg(text), wanted);
  EXPECT_EQ(my(text), wanted);
}

TEST(SqlMask, Strings) {
  both("select 'a b', ''", q("select '~~~', ''"));
  both("select 'it''s' x", q("select '~~''~' x"));
  both("select n'ab', B'01', x'ff'", q("select n'~~', B'~~', x'~~'"));
  both("select 'caf\xc3\xa9'", q("select '~~~~~'"));
  both("values ('open", q("values ('~~~~"));
  EXPECT_EQ(pg("select U&'d\\0061t'"), q("select U&'~~~~~~~'"));
  EXPECT_EQ(my("select _utf8'abc' \"d'e\""), q("select _utf8'~~~' \"~~~\""));
  EXPECT_EQ(my("select \"a\\\\\", 2"), q("select \"~~~\", ~"));
  // The server may read a backslash as itself: the text could end at the quote.
  EXPECT_EQ(my("select 'it\\'s', 2"), q("select '~~~~~~~~~"));
  EXPECT_EQ(my("select \"a\"\"b\", c"), "select \"?\"\"?\", c");
}

TEST(SqlMask, BackslashesOfPostgresql) {
  EXPECT_EQ(pg("select E'it\\'s', e'\\\\', a"), q("select E'~~~~~', e'~~', a"));
  EXPECT_EQ(pg("select 'a\\b', c"), q("select '~~~', c"));
  // With standard_conforming_strings the text ends here, without it does not.
  EXPECT_EQ(pg("select 'C:\\', secret, 'x' from t"), q("select '~~~~~~~~~~~~~~~~~~~~~~~~"));
  // The E is the end of a name.
  EXPECT_EQ(pg("select tablE'a\\', secret"), q("select tablE'~~~~~~~~~~~"));
  EXPECT_EQ(pg("select 1E'a\\', secret"), q("select ~~'~~~~~~~~~~~"));
}

TEST(SqlMask, SecondByteOfACharacterCanBeABackslash) {
  // In GBK BF5C is one character, and the quote ends the text.
  EXPECT_EQ(my("select '\xbf\\', secret"), q("select '~~~~~~~~~~~"));
  EXPECT_EQ(my("select '\xc3\xa9\\n', a"), q("select '~~~~', a"));
}

TEST(SqlMask, Names) {
  EXPECT_EQ(pg("select \"a 1\"\"b\", t1, t_2024 from s.\"x'\" where y = 'z'"),
            "select \"a 1\"\"b\", t1, t_2024 from s.\"x'\" where y = '?'");
  EXPECT_EQ(my("select `a 1``'` from t$1"), "select `a 1``'` from t$1");
  both("select stra\xc3\x9f\x65\x31 from t", "select stra\xc3\x9f\x65\x31 from t");
}

TEST(SqlMask, Numbers) {
  both("1 1.5 .5 1e9 0xFF -7 +7 a=3", q("~ ~~~ .~ ~~~ ~~~~ -~ +~ a=~"));
  both("limit 10,20", q("limit ~~,~~"));
  both("1.5e+3", q("~~~~+~"));
  both("date 2024-01-02", q("date ~~~~-~~-~~"));
  both("t1.c2 = 1_000", q("t1.c2 = ~~~~~"));
  EXPECT_EQ(my("from 2024_orders"), q("from ~~~~~~~~~~~"));  // could be a number or a name
}

TEST(SqlMask, Placeholders) {
  both("a = $1 and b = $12", "a = $1 and b = $12");
  both("a = ? and b = ?", "a = ? and b = ?");
  both("a = $4111111111111111", q("a = $41111~~~~~~~~~~~"));
}

TEST(SqlMask, DollarQuotes) {
  EXPECT_EQ(pg("do $$a 'b$1 $$ x"), q("do $$~~~~$~~$$ x"));
  EXPECT_EQ(pg("as $fn$ $$x$$ $f$ $fn$ language sql"), "as $fn$?$$?$$?$f$?$fn$ language sql");
  EXPECT_EQ(pg("$a$$b$a$ x"), "$a$$?$a$ x");
  EXPECT_EQ(pg("1$$x$$"), "?$$?$$");
  EXPECT_EQ(pg("a$$ 'x'"), "a$$ '?'");  // a name
  EXPECT_EQ(pg("1a$$ , b"), std::string(8, '?'));
  EXPECT_EQ(my("$$secret$$"), q("$~~~~~~~~~"));
}

TEST(SqlMask, Comments) {
  EXPECT_EQ(pg("a --b 'c\nd"), q("a --~~~~\nd"));
  EXPECT_EQ(pg("a --b\rd"), "a --?\rd");
  EXPECT_EQ(pg("a /*b /*'c*/ d*/ e"), q("a /*~~/*~~*/~~*/ e"));
  EXPECT_EQ(pg("a # b"), "a # b");
  EXPECT_EQ(my("a -- b 'c\nd"), q("a -- ~~~~\nd"));
  EXPECT_EQ(my("5--1, 'x\n', c"), q("~--~, '~~', c"));
  EXPECT_EQ(my("a # b'\nd"), q("a #~~~\nd"));
  EXPECT_EQ(my("a /*b /*'c*/ d"), q("a /*~~~*~~*/ d"));
  EXPECT_EQ(pg("/*/ 'a */ b"), q("/*/~~~~*/ b"));
  EXPECT_EQ(my("/*/ 'a */ b"), q("/*~~~~~*/ b"));
}

TEST(SqlMask, ExecutableCommentsOfMysql) {
  EXPECT_EQ(my("a /*!50000 b*/ c"), q("a /*~~~~~~~~*/ c"));
  // A server that executes this reads a text with the end of a comment in it.
  EXPECT_EQ(my("/*! 'a*/', 'secret' */ b"), "/*" + std::string(22, '?'));
  EXPECT_EQ(my("/*M! \"a*/\", secret"), "/*" + std::string(16, '?'));
  EXPECT_EQ(my("/*+ SET_VAR(x='a*/') */ b"), "/*" + std::string(12, '?') + std::string(11, '?'));
  EXPECT_EQ(my("/*Max's*/ b"), q("/*~~~~~*/ b"));
}

TEST(SqlMask, ControlBytesHideWhatFollows) {
  both(std::string("select a\0 b, 'c'", 16), q("select a~~~~~~~~"));
  both("select \x01 b", q("select ~~~"));
  both("a\tb\r\nc", "a\tb\r\nc");
}

TEST(SqlMask, EndBeginsAnother) {
  Mask mask(Dialect::postgresql);
  std::string text = "select 'a";
  mask.mask(text);
  mask.end();
  text = "select b";
  mask.mask(text);
  EXPECT_EQ(text, "select b");
}

TEST(SqlMask, MaskedStatementsPass) {
  const std::string statements[] = {q("select * from t where id = ~~~ and name = '~~~~'"),
                                    q("insert into t values (~, -~~, .~~, '~~''~')"),
                                    q("select E'~~', $1, x /*~~*/ from a --~~~")};
  for (const std::string& text : statements) {
    both(text, text);
  }
}

std::string random_statement(std::mt19937& random) {
  static const std::vector<std::string> kParts = {
      "'",    "''", "\"", "`",   "\\", "$", "$$", "$a$", "a",  "E",   "E'",  "e",    "M",
      "!",    "-",  "--", "/*",  "*/", "/", "*",  "#",   "\n", "\r",  " ",   "\t",   "1",
      "7",    ".",  "?",  "_",   ",",  "(", ")",  "+",   ";",  "N'",  "x",   "0x1F", "\xc3\xa9",
      "\xbf", "1e", "$1", "$12", "$a", "@", "=",  "::",  "&",  "U&'", "/*!", "-- ",  std::string(1, '\0')};
  std::string text;
  for (auto n = random() % 24; n > 0; --n) {
    // Bytes that hide all the rest are rare, or little else would be tested.
    const std::size_t i = random() % (kParts.size() - (random() % 20 == 0 ? 0 : 1));
    text += kParts[i];
  }
  return text;
}

TEST(SqlMask, ASecondTimeChangesNothing) {
  std::mt19937 random(11);
  for (int i = 0; i < 100000; ++i) {
    const std::string text = random_statement(random);
    for (const Dialect dialect : kDialects) {
      const std::string once = masked(dialect, text);
      ASSERT_EQ(once.size(), text.size());
      ASSERT_EQ(masked(dialect, once), once) << text;
      for (std::size_t at = 0; at < text.size(); ++at) ASSERT_TRUE(once[at] == text[at] || once[at] == '?');
    }
  }
}

TEST(SqlMask, PiecesAreCutAnywhere) {
  std::mt19937 random(13);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random_statement(random);
    for (const Dialect dialect : kDialects) {
      const std::string whole = masked(dialect, text);
      Mask bytes(dialect);
      std::string joined;
      for (const char c : text) {
        std::string piece(1, c);
        bytes.mask(piece);
        joined += piece;
      }
      ASSERT_EQ(joined, whole) << text;
    }
  }
}

TEST(SqlMask, AnyBytes) {
  std::mt19937 random(17);
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (auto n = random() % 60; n > 0; --n) text += static_cast<char>(random());
    for (const Dialect dialect : kDialects) {
      const std::string once = masked(dialect, text);
      ASSERT_EQ(masked(dialect, once), once);
      (void)shown_statement(once, random() % 40);
      (void)operation_of(text);
      (void)table_of(text);
    }
  }
}

// Whatever a value is, quoted as clients do, nothing of it is left, and what follows it is read as before.
TEST(SqlMask, QuotedValuesNeverShow) {
  std::mt19937 random(19);
  constexpr std::string_view kBytes = "QZ'\"\\`$-/*#;?\n ,()";
  for (int i = 0; i < 50000; ++i) {
    std::string value;
    for (auto n = random() % 12; n > 0; --n) value += kBytes[random() % kBytes.size()];
    std::string doubled, escaped, slashed;
    for (const char c : value) {
      doubled += c == '\'' ? "''" : std::string(1, c);
      escaped += c == '\'' || c == '"' || c == '\\' ? std::string{'\\', c} : std::string(1, c);
      slashed += c == '\'' ? "''" : c == '\\' ? "\\\\" : std::string(1, c);
    }
    const std::string cases[] = {pg("a = '" + doubled + "' and b = 'QZ'"),   pg("a = E'" + slashed + "' and b = 'QZ'"),
                                 pg("a = $x$" + value + "$x$ and b = 'QZ'"), my("a = '" + escaped + "' and b = 'QZ'"),
                                 my("a = \"" + escaped + "\" and b = 'QZ'"), my("a = '" + slashed + "' and b = 'QZ'")};
    for (const std::string& text : cases) {
      ASSERT_EQ(text.find_first_of("QZ"), std::string::npos) << value;
    }
    // A backslash before a quote is doubtful in MySQL.
    for (const std::size_t sure : {1u, 2u, 5u}) ASSERT_TRUE(cases[sure].ends_with(q(" and b = '~~'"))) << value;
  }
}

TEST(SqlShown, LiteralsAreOneMark) {
  EXPECT_EQ(shown_pg("select * from t where id = 123 and name = 'abc' and x = ''"),
            "select * from t where id = ? and name = ? and x = ?");
  EXPECT_EQ(shown_pg("a = E'x\\'' or b = $$q$$ or c = $f$q$f$ or d=U&'x' or e = .5"),
            "a = ? or b = ? or c = ? or d=? or e = ?");
  EXPECT_EQ(shown_my("a = \"x\" and b = _utf8'y' and c = \"\""), "a = ? and b = ? and c = ?");
  EXPECT_EQ(shown_pg("select \"Name\" from t"), "select \"Name\" from t");
  EXPECT_EQ(shown_pg("where x = 'never ends"), "where x = ?");
}

TEST(SqlShown, SignsBelongToNumbers) {
  EXPECT_EQ(shown_pg("a = -5 and b > -1.5 and c in (-1, -2)"), "a = ? and b > ? and c in (?, …)");
  EXPECT_EQ(shown_pg("limit -1"), "limit ?");
  EXPECT_EQ(shown_pg("a -5"), "a -?");
  EXPECT_EQ(shown_pg("a = b-5"), "a = b-?");
}

TEST(SqlShown, Lists) {
  EXPECT_EQ(shown_pg("id in (1,2,3)"), "id in (?, …)");
  EXPECT_EQ(shown_pg("id in (1)"), "id in (?)");
  EXPECT_EQ(shown_pg("id in ( 'a' , 'b' )"), "id in (?, …)");
  EXPECT_EQ(shown_pg("id IN ($1, $2, $3) and b = $4"), "id IN ($1, …) and b = $4");
  EXPECT_EQ(shown_pg("id IN ($1::INTEGER, $2::INTEGER)"), "id IN ($1::INTEGER, …)");
  EXPECT_EQ(shown_pg("(a, b) in ((1,2),(3,4),(5,6))"), "(a, b) in ((?, …), …)");
  EXPECT_EQ(shown_pg("f(a, 1, 2)"), "f(a, ?, ?)");
  EXPECT_EQ(shown_pg("f(1, a)"), "f(?, a)");
  EXPECT_EQ(shown_pg("f(1, 2 + 3)"), "f(?, ? + ?)");
  EXPECT_EQ(shown_pg("any(array[1, 2, 3])"), "any(array[?, …])");
  EXPECT_EQ(shown_pg("f()"), "f()");
}

TEST(SqlShown, Rows) {
  EXPECT_EQ(shown_pg("insert into t (a, b) values (1, 'x'), (2, 'y') , (3, 'z')"),
            "insert into t (a, b) values (?, …), …");
  EXPECT_EQ(shown_pg("INSERT INTO t VALUES ($1, $2)"), "INSERT INTO t VALUES ($1, …)");
  EXPECT_EQ(shown_pg("INSERT INTO t VALUES ($1, now()), ($2, now()) returning id"),
            "INSERT INTO t VALUES ($1, now()), … returning id");
  EXPECT_EQ(shown_my("insert into t values (1) on duplicate key update a = values(a), b = 2"),
            "insert into t values (?) on duplicate key update a = values(a), b = ?");
  EXPECT_EQ(shown_my("insert t values (1),(2),"), "insert t values (?), …,");
}

TEST(SqlShown, BlanksAndComments) {
  EXPECT_EQ(shown_pg("  select\n\t a --note\n, b /* it's /* x */ */ from t  "), "select a , b from t");
  EXPECT_EQ(shown_my("# x\nselect 1 -- y\n+ 2 /*z*/ # end"), "select ? + ?");
  EXPECT_EQ(shown_my("select 5--3 from t"), "select ?--? from t");
  EXPECT_EQ(shown_pg("select a\n #> '{b}' from t"), "select a #> ? from t");
  EXPECT_EQ(shown_pg("select a::int, b ?| c"), "select a::int, b ?| c");
  EXPECT_EQ(shown_pg(" /* nothing */ "), "");
}

TEST(SqlShown, IsCutAtACharacter) {
  EXPECT_EQ(shown_statement("select abc", 10), "select abc");
  EXPECT_EQ(shown_statement("select abcd", 10), "select…");
  EXPECT_EQ(shown_statement("select \xc3\xa9\xc3\xa9\xc3\xa9", 12), "select \xc3\xa9…");
  EXPECT_EQ(shown_statement("select", 2), "");
  EXPECT_EQ(shown_statement("a\x01\xff", 20), "a??");
  EXPECT_EQ(shown_statement("a \xe2\x80\xae b", 20), "a ? b");  // turns the direction of the text
  std::string many = "select a in (?";
  for (int i = 0; i < 100000; ++i) many += q(", ~~~");
  EXPECT_EQ(shown_statement(many + ") and b", 30), "select a in (?, …) and b");
  EXPECT_LE(shown_statement(many, 30).size(), 30u);
  EXPECT_LE(shown_statement(std::string(100000, '('), 30).size(), 30u);
}

TEST(SqlShown, NeverLongerThanAllowed) {
  std::mt19937 random(23);
  for (int i = 0; i < 100000; ++i) {
    const std::string text = pg(random_statement(random));
    const std::size_t most = random() % 30;
    ASSERT_LE(shown_statement(text, most).size(), most) << text;
    ASSERT_EQ(operation_of(text).find('?'), std::string::npos) << text;
    (void)table_of("select * from " + text);
  }
}

TEST(SqlOperation, FirstWord) {
  EXPECT_EQ(operation_of("select 1"), "SELECT");
  EXPECT_EQ(operation_of("  -- note\n/* x */ ((select 1)"), "SELECT");
  EXPECT_EQ(operation_of("# note\nupdate t set a = ?"), "UPDATE");
  EXPECT_EQ(operation_of(pg("--note\nDelete from t")), "DELETE");
  EXPECT_EQ(operation_of("with x as (select 1), y (a) as materialized (select 2) update t set a = 1"), "UPDATE");
  EXPECT_EQ(operation_of("WITH RECURSIVE x AS (SELECT 1) SELECT * FROM x"), "SELECT");
  EXPECT_EQ(operation_of("with x as (select"), "WITH");
  EXPECT_EQ(operation_of("BEGIN"), "BEGIN");
  EXPECT_EQ(operation_of("commit;"), "COMMIT");
  EXPECT_EQ(operation_of("CREATE TABLE t (a int)"), "CREATE");
  EXPECT_EQ(operation_of(""), "");
  EXPECT_EQ(operation_of(q("~~~~")), "");
  EXPECT_EQ(operation_of("'x'"), "");
}

TEST(SqlTable, Queries) {
  EXPECT_EQ(table_of("select * from orders where id = ?"), "orders");
  EXPECT_EQ(table_of("SELECT * FROM public.orders o JOIN items"), "public.orders");
  EXPECT_EQ(table_of("select * from (select a from inner_t) x"), "inner_t");
  EXPECT_EQ(table_of("select * from ((a join b on x) join c)"), "a");
  EXPECT_EQ(table_of("select * from only t"), "t");
  EXPECT_EQ(table_of("with x as (select * from orders) select * from x"), "orders");
  EXPECT_EQ(table_of("select extract(year from created), substring(a from 2) from t"), "t");
  EXPECT_EQ(table_of("select trim(both from a), a is distinct from b from t"), "t");
  EXPECT_EQ(table_of("select extract(epoch from (select max(a) from inner_t))"), "inner_t");
  EXPECT_EQ(table_of("select * from generate_series(1, 3)"), "generate_series");
  EXPECT_EQ(table_of("select 1"), "");
  EXPECT_EQ(table_of("select 'x from y'"), "");
  EXPECT_EQ(table_of(q("select 1 from '~~~~'")), "");
  EXPECT_EQ(table_of(q("select a into outfile '~~~' from t")), "t");
  EXPECT_EQ(table_of("select a into temp n from t"), "n");
  EXPECT_EQ(table_of("select * from `db`.`a``b` for update"), "db.a`b");
  EXPECT_EQ(table_of("select pg_sleep(1) for update"), "");
}

TEST(SqlTable, Writes) {
  EXPECT_EQ(table_of("INSERT INTO \"schema\".\"table\" (a) VALUES (?)"), "schema.table");
  EXPECT_EQ(table_of("insert ignore t values (1)"), "t");
  EXPECT_EQ(table_of("replace into t set a = 1"), "t");
  EXPECT_EQ(table_of("UPDATE ONLY t SET a = 1"), "t");
  EXPECT_EQ(table_of("update low_priority t set a = 1"), "t");
  EXPECT_EQ(table_of("delete from t using u"), "t");
  EXPECT_EQ(table_of("insert into a select * from b on conflict do update set x = 1"), "a");
  EXPECT_EQ(table_of("with x as (select * from a) insert into b select * from x"), "b");
  EXPECT_EQ(table_of("with x as (update a set b = 1 returning *) update c set d = 1"), "c");
  EXPECT_EQ(table_of("merge into t using s on x"), "t");
}

TEST(SqlTable, Definitions) {
  EXPECT_EQ(table_of("create table if not exists t (a int)"), "t");
  EXPECT_EQ(table_of("CREATE TEMP TABLE t AS SELECT 1"), "t");
  EXPECT_EQ(table_of("ALTER TABLE ONLY s.t ADD a int"), "s.t");
  EXPECT_EQ(table_of("drop table if exists t"), "t");
  EXPECT_EQ(table_of("create table if (a int)"), "if");
  EXPECT_EQ(table_of("truncate t"), "t");
  EXPECT_EQ(table_of("TRUNCATE TABLE t"), "t");
  EXPECT_EQ(table_of("copy t (a) from stdin"), "t");
  EXPECT_EQ(table_of("copy (select * from t) to stdout"), "t");
  EXPECT_EQ(table_of("lock table t in share mode"), "t");
  EXPECT_EQ(table_of("LOCK TABLES t WRITE"), "t");
}

TEST(SqlTable, OtherStatements) {
  EXPECT_EQ(table_of("call p(1)"), "p");
  EXPECT_EQ(table_of("execute p(1)"), "p");
  EXPECT_EQ(table_of("begin"), "");
  EXPECT_EQ(table_of("set a = 1"), "");
  EXPECT_EQ(table_of("show columns from t"), "");
  EXPECT_EQ(table_of("fetch 10 from cursor_1"), "");
  EXPECT_EQ(table_of("revoke all on t from alice"), "");
  EXPECT_EQ(table_of("explain update t set a = 1"), "t");
  EXPECT_EQ(table_of("insert into " + std::string(5000, 'a') + " values (1)"), "");
}

}  // namespace
}  // namespace tailcap::formats::sql
