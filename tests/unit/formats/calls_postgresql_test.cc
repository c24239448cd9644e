// PostgreSQL's protocol: what is kept, what is a call, and what is no message. The exchanges are those of
// PostgreSQL 15 with psql, pg8000 and a client that speaks the protocol by hand.
#include <random>

#include "tests/unit/formats/postgresql_messages.h"

namespace tailcap::formats::calls::postgresql_test {
namespace {

TEST(Postgresql, ASimpleQueryEndsWithReadyForQuery) {
  Reader r;
  r.all({{kAsk, query("select 'two'")},
         {kAnswer, kColumns + kRow + complete("SELECT 1")},
         {kAsk, query("select 1; selec")}});
  EXPECT_EQ(r.messages, "> [sql:select 'two']\n> [sql:select 1; selec]\n");
  r.all({{kAnswer, ready()}, {kAnswer, kColumns + kRow + complete("SELECT 1") + kError + ready()}});
  EXPECT_EQ(r.messages,
            "> [sql:select 'two']\n> [sql:select 1; selec]\n< [rows:SELECT 1]\n< [rows:SELECT 1][code:42601] failed\n");
  EXPECT_TRUE(r.machine->at_border(kAsk) && r.machine->at_border(kAnswer));
}

TEST(Postgresql, ValuesAreHiddenAndFramingIsKept) {
  Reader r;
  r.all({{kAsk, binding("s_1") + execute()}, {kAnswer, kBound + kRow + complete("SELECT 1") + ready()}});
  EXPECT_EQ(r.masked[0], "B\0\0\0\x19\0s_1\0"s + std::string(16, '*') + execute());
  EXPECT_EQ(r.masked[1], kBound + "D\0\0\0\x0d*********"s + complete("SELECT 1") + ready());
  Reader e;
  e.all({{kAsk, query("selec")}, {kAnswer, kError + ready()}});
  EXPECT_EQ(
      e.masked[1],
      "E\0\0\0\x5dS*****\0VERROR\0C42601\0M*******************************\0P*\0F******\0L****\0R***************\0"
      "\0"s +
          ready());
}

TEST(Postgresql, ANameThatIsNoPlainNameIsHidden) {
  Reader r;
  r.all({{kAsk, parse("where a = 'x'", "select 1") + parse("a'b", "") + parse(std::string(70, 'n'), "") + kFlush}});
  EXPECT_EQ(r.messages, "> PREPARE[def:where********][sql:select 1][def:a**][sql:][def:" + std::string(63, 'n') +
                            "*******][sql:]\n");
}

TEST(Postgresql, AnExecuteEndsWithCommandComplete) {
  const std::string sql = "> [def:][sql:select 1][ref:]\n";
  EXPECT_EQ(messages_of({{kAsk, parse("", "select 1") + binding("") + describe("") + execute() + kSync},
                         {kAnswer, kParsed + kBound + kColumns + kRow + complete("SELECT 1")}}),
            sql + "< [rows:SELECT 1]\n");
  EXPECT_EQ(messages_of({{kAsk, binding("a") + execute() + binding("a") + execute() + closing("a") + kSync + kSync},
                         {kAnswer, kBound + message('I') + kBound + message('s') + kClosed + ready() + ready()}}),
            "> [ref:a]\n> [ref:a]\n< \n< \n");
}

TEST(Postgresql, AnExecuteWithoutABindIsAFetch) {
  EXPECT_EQ(messages_of({{kAsk, binding("a", "v", "p") + execute("p") + execute("p") + kSync},
                         {kAnswer, kBound + kRow + message('s') + kRow + complete("SELECT 2") + ready()}}),
            "> [ref:a]\n> FETCH\n< \n< [rows:SELECT 2]\n");
}

TEST(Postgresql, ABatchWithoutAnExecuteIsAPrepare) {
  // asyncpg: Parse, Describe, Flush. libpq: Parse, Sync. What is closed before belongs to none.
  EXPECT_EQ(messages_of({{kAsk, parse("a", "select $1") + describe("a") + kFlush},
                         {kAnswer, kParsed + message('t', "\0\1\0\0\0\x19"s) + kColumns},
                         {kAsk, binding("a") + execute() + kSync},
                         {kAnswer, kBound + complete("SELECT 1") + ready()},
                         {kAsk, closing("a") + parse("b", "x") + kSync},
                         {kAnswer, kClosed + kParsed + ready()}}),
            "> PREPARE[def:a][sql:select $1]\n< \n> [ref:a]\n< [rows:SELECT 1]\n> PREPARE[def:b][sql:x]\n< \n");
  EXPECT_EQ(messages_of({{kAsk, parse("a", "selec") + describe("a") + kSync}, {kAnswer, kError + ready()}}),
            "> PREPARE[def:a][sql:selec]\n< [code:42601] failed\n");
}

TEST(Postgresql, AFlushBetweenBindAndExecuteDoesNotDivideThem) {
  // pg8000 writes Bind, Flush, Execute, Flush and Sync.
  EXPECT_EQ(messages_of({{kAsk, binding("pg8000_statement_0") + kFlush},
                         {kAnswer, kBound},
                         {kAsk, execute() + kFlush + kSync},
                         {kAnswer, complete("BEGIN")},
                         {kAnswer, ready('T')},
                         {kAsk, binding("b") + kFlush},
                         {kAnswer, kError},
                         {kAsk, kSync},
                         {kAnswer, ready('E')},
                         {kAsk, query("rollback")},
                         {kAnswer, complete("ROLLBACK") + ready()}}),
            "> [ref:pg8000_statement_0]\n< [rows:BEGIN]\n> PREPARE[ref:b]\n< [code:42601] failed\n> [sql:rollback]\n"
            "< [rows:ROLLBACK]\n");
}

TEST(Postgresql, ReadyForQueryAnswersWhatTheServerSkipped) {
  const std::string one = binding("") + execute(), good = kBound + complete("SELECT 1");
  const std::string done = "< [rows:SELECT 1]\n", asked = "> [ref:]\n";
  EXPECT_EQ(messages_of({{kAsk, one + one + one + parse("a", "x") + kSync + one + kSync},
                         {kAnswer, good + kError + ready() + good + ready()}}),
            asked + asked + asked + "> PREPARE[def:a][sql:x]\n" + asked + done +
                "< [code:42601] failed\n< failed and 1 further\n" + done);
  EXPECT_EQ(
      messages_of({{kAsk, one + kSync + query("x")}, {kAnswer, kError + ready() + complete("SELECT 1") + ready()}}),
      asked + "> [sql:x]\n< [code:42601] failed\n" + done)
      << "nothing was skipped";
}

TEST(Postgresql, TheThirdOf20CallsFails) {
  std::string calls;
  for (int i = 0; i < 20; i++) calls += binding("") + execute();
  const std::string good = kBound + complete("SELECT 1");
  Reader r;
  r.all({{kAsk, calls + kSync}});
  r.messages.clear();
  r.all({{kAnswer, good + good + kBound + kError}});
  EXPECT_EQ(r.messages, "< [rows:SELECT 1]\n< [rows:SELECT 1]\n< [code:42601] failed\n");
  EXPECT_TRUE(r.machine->at_border(kAnswer));
  r.messages.clear();
  std::size_t size = 0;
  const std::string end = ready();
  for (Token token; size < end.size(); size += token.size) {
    token = r.machine->next(kAnswer, std::string_view(end).substr(size));
    ASSERT_GT(token.size, 0u);
    EXPECT_EQ(token.begins, size == 0);
    EXPECT_EQ(token.ends, size + token.size == end.size());
    EXPECT_EQ(token.failed, token.ends);
    EXPECT_EQ(token.further, token.ends ? 16u : 0u);
  }
  EXPECT_TRUE(r.machine->at_border(kAnswer));
  EXPECT_EQ(r.all({{kAsk, query("b")}, {kAnswer, complete("SELECT 2") + ready()}}).messages,
            "> [sql:b]\n< [rows:SELECT 2]\n");
}

TEST(Postgresql, AsManyCallsAreSkippedAsCanBeOutstanding) {
  Reader r;
  for (int i = 0; i < 4095; i++) r.feed(kAsk, binding("") + execute());
  r.feed(kAsk, kSync);
  r.messages.clear();
  r.all({{kAnswer, kError + ready()}, {kAsk, query("b")}, {kAnswer, complete("SELECT 2") + ready()}});
  EXPECT_FALSE(r.refused);
  EXPECT_EQ(r.messages, "< [code:42601] failed\n< failed and 4093 further\n> [sql:b]\n< [rows:SELECT 2]\n");
}

TEST(Postgresql, AConnectionBegins) {
  const Exchange exchange = {{kAsk, kGssRequest},
                             {kAnswer, "N"},
                             {kAsk, kSslRequest},
                             {kAnswer, "N"},
                             {kAsk, kStartup},
                             {kAnswer, message('R', "\0\0\0\5salt"s)},
                             {kAsk, message('p', "md5secret\0"s)},
                             {kAnswer, kAuthenticated},
                             {kAnswer, ready()},
                             {kAsk, query("") + message('X')},
                             {kAnswer, message('I') + ready()}};
  Reader r(true);
  r.all(exchange);
  EXPECT_EQ(r.messages, "> CONNECT\n< \n> [sql:]\n< \n");
  EXPECT_EQ(r.masked[0], kGssRequest + kSslRequest + kStartup.substr(0, 8) + std::string(27, '*') + "\0p\0\0\0\x0e"s +
                             std::string(10, '*') + query("") + message('X'));
  EXPECT_EQ(messages_of({{kAsk, kStartup}, {kAnswer, kFatal}}, true), "> CONNECT\n< [code:57P01] failed\n");
  EXPECT_EQ(messages_of({{kAsk, "\0\0\0\x10\x04\xd2\x16\x2e"s + "12345678"}}, true), "");
}

TEST(Postgresql, TheConnectionTurnsToTls) {
  Reader r(true);
  r.all({{kAsk, kSslRequest}});
  EXPECT_FALSE(r.machine->turns_to_tls());
  r.all({{kAnswer, "S"}});
  EXPECT_TRUE(r.machine->turns_to_tls() && !r.refused);
  Reader gss(true);
  gss.all({{kAsk, kGssRequest}, {kAnswer, "G"}});
  EXPECT_TRUE(gss.refused);
  Reader plain(true);
  plain.all({{kAsk, kStartup}, {kAnswer, "S"}});
  EXPECT_TRUE(plain.refused);
}

TEST(Postgresql, WhatAnswersNoCallIsPushed) {
  const std::string notice = message('N', "SNOTICE\0C00000\0\0"s), notified = message('A', "\0\0\0\1ch\0secret\0"s);
  EXPECT_EQ(
      messages_of(
          {{kAnswer, notified + notice}, {kAsk, query("x")}, {kAnswer, notice + message('I') + notified + ready()}}),
      "< pushed\n> [sql:x]\n< \n");
  EXPECT_EQ(messages_of({{kAnswer, kFatal}}), "< [code:57P01] failed pushed\n");
  EXPECT_EQ(messages_of({{kAsk, query("select pg_terminate_backend(pg_backend_pid())")}, {kAnswer, kFatal}}),
            "> [sql:select pg_terminate_backend(pg_backend_pid())]\n< [code:57P01] failed\n");
  // A deferred constraint is checked when the Sync commits.
  EXPECT_EQ(messages_of({{kAsk, binding("a") + execute() + kSync},
                         {kAnswer, kBound + complete("INSERT 0 1") + kError + ready()}}),
            "> [ref:a]\n< [rows:INSERT 0 1]\n< [code:42601] failed pushed\n");
}

TEST(Postgresql, CopyIsInsideItsCall) {
  const std::string in = message('G', "\0\0\1\0\0"s), out = message('H', "\0\0\1\0\0"s),
                    data = message('d', "secret\n");
  EXPECT_EQ(messages_of({{kAsk, query("copy t from stdin")},
                         {kAnswer, in},
                         {kAsk, data + data + message('c')},
                         {kAnswer, complete("COPY 2") + ready()},
                         {kAsk, query("copy t from stdin")},
                         {kAnswer, in},
                         {kAsk, data + message('f', "secret\0"s)},
                         {kAnswer, kError + ready()},
                         {kAsk, query("copy t to stdout")},
                         {kAnswer, out + data + data + message('c') + complete("COPY 2") + ready()}}),
            "> [sql:copy t from stdin]\n< [rows:COPY 2]\n> [sql:copy t from stdin]\n< [code:42601] failed\n"
            "> [sql:copy t to stdout]\n< [rows:COPY 2]\n");
  // The server reads over the Sync that comes before the data.
  EXPECT_EQ(messages_of({{kAsk, binding("c") + execute() + kSync},
                         {kAnswer, kBound + in},
                         {kAsk, data + message('c') + kSync},
                         {kAnswer, complete("COPY 1") + ready()},
                         {kAsk, binding("x") + execute() + kSync},
                         {kAnswer, kError + ready()}}),
            "> [ref:c]\n< [rows:COPY 1]\n> [ref:x]\n< [code:42601] failed\n");
}

TEST(Postgresql, AFunctionCallIsACall) {
  EXPECT_EQ(
      messages_of({{kAsk, message('F', "\0\0\6\x3e\0\0\0\0\0\0"s)}, {kAnswer, message('V', "\0\0\0\1x"s) + ready()}}),
      "> FUNCTION\n< \n");
}

TEST(Postgresql, AnAnswerCanBeSeenBeforeItsRequest) {
  EXPECT_EQ(messages_of({{kAsk, kStartup},
                         {kAnswer, kAuthenticated + ready()},
                         {kAnswer, kColumns + kRow + complete("SELECT 1") + ready()},
                         {kAsk, query("a")},
                         {kAnswer, kBound + complete("SELECT 2")},
                         {kAsk, binding("b") + execute() + kSync},
                         {kAnswer, ready() + kColumns},
                         {kAsk, query("c")},
                         {kAnswer, complete("SELECT 3") + ready()},
                         {kAsk, query("d")},
                         {kAnswer, complete("SELECT 4") + ready()}},
                        true),
            "> CONNECT\n< \n< [rows:SELECT 1]\n> [sql:a]\n< [rows:SELECT 2]\n> [ref:b]\n> [sql:c]\n< [rows:SELECT 3]\n"
            "> [sql:d]\n< [rows:SELECT 4]\n");
  // A machine that begins in the middle cannot know what the first answers.
  EXPECT_EQ(messages_of({{kAnswer, complete("SELECT 1") + ready()},
                         {kAsk, query("a")},
                         {kAnswer, kRow + complete("SELECT 2") + ready()}}),
            "< [rows:SELECT 1]\n> [sql:a]\n< [rows:SELECT 2]\n");
}

TEST(Postgresql, ValuesCanBeSkipped) {
  Reader r;
  const std::string b = binding("a", std::string(1000, 's'));
  r.feed(kAsk, b.substr(0, 40));
  EXPECT_TRUE(r.machine->skip(kAsk, b.size() - 40));
  r.feed(kAsk, execute() + kSync).feed(kAnswer, kBound + kRow.substr(0, 8));
  EXPECT_TRUE(r.machine->skip(kAnswer, kRow.size() - 8));
  r.feed(kAnswer, complete("SELECT 1") + ready());
  EXPECT_EQ(r.messages, "> [ref:a]\n< [rows:SELECT 1]\n");
  // The end of a statement is not kept if something before it is missing.
  const std::string q = query("select 1");
  r.feed(kAsk, q.substr(0, 8));
  EXPECT_TRUE(r.machine->skip(kAsk, 3));
  r.feed(kAsk, q.substr(11));
  EXPECT_EQ(r.masked[0].substr(r.masked[0].size() - 3), "**\0"s);
  EXPECT_TRUE(r.messages.ends_with("> [sql:sel\n"));
  EXPECT_FALSE(r.machine->skip(kAsk, 1)) << "a border follows";
  EXPECT_EQ(r.machine->next(kAsk, q).size, 0u);
  Reader end;
  end.feed(kAsk, q.substr(0, 8));
  EXPECT_FALSE(end.machine->skip(kAsk, q.size() - 8)) << "the end of a call";
}

TEST(Postgresql, ReadyForQueryResumes) {
  Token ended;
  Reader r;
  r.feed(kAsk, query("a")).feed(kAnswer, kColumns + kRow.substr(0, 9));
  EXPECT_FALSE(r.machine->resume(kAnswer, ready(), ended)) << "nothing is lost";
  EXPECT_FALSE(r.machine->skip(kAnswer, 1000));
  EXPECT_FALSE(r.machine->resume(kAnswer, "\0\0\0\5I"s, ended));
  EXPECT_TRUE(r.machine->resume(kAnswer, complete("SELECT 9") + ready(), ended));
  EXPECT_TRUE(ended.ends && !ended.begins && !ended.failed);
  EXPECT_EQ(ended.size, ready().size() + 2) << "the end of the tag tells it from an error";
  EXPECT_TRUE(r.machine->at_border(kAnswer));
  r.inside[1] = false;
  r.messages.clear();
  EXPECT_EQ(r.all({{kAsk, query("b")}, {kAnswer, complete("SELECT 2") + ready()}}).messages,
            "> [sql:b]\n< [rows:SELECT 2]\n");

  Reader two;
  two.feed(kAsk, query("a") + query("b")).feed(kAnswer, kColumns);
  EXPECT_FALSE(two.machine->skip(kAnswer, 1000));
  EXPECT_FALSE(two.machine->resume(kAnswer, ready(), ended)) << "it may be that of the first";

  Reader batch;  // The answer of the Execute was whole; its ReadyForQuery is at the end of what was not seen.
  batch.feed(kAsk, binding("a") + execute() + kSync).feed(kAnswer, kBound + complete("SELECT 1"));
  EXPECT_FALSE(batch.machine->skip(kAnswer, 10));
  EXPECT_TRUE(batch.machine->resume(kAnswer, ready(), ended));
  EXPECT_FALSE(ended.ends);
  EXPECT_EQ(ended.size, ready().size()) << "these bytes are kept";
}

TEST(Postgresql, ReadyForQueryResumesBehindSkippedCalls) {
  const std::string one = binding("") + execute();
  Reader r, inside;
  r.feed(kAsk, one + one + one + kSync).feed(kAnswer, kError);
  EXPECT_FALSE(r.machine->skip(kAnswer, 10));
  Token ended;
  ASSERT_TRUE(r.machine->resume(kAnswer, ready(), ended));
  EXPECT_TRUE(ended.begins && ended.ends && ended.failed);
  EXPECT_EQ(ended.further, 1u);
  EXPECT_EQ(ended.size, ready().size());
  r.messages.clear();
  EXPECT_EQ(r.all({{kAsk, query("b")}, {kAnswer, complete("SELECT 2") + ready()}}).messages,
            "> [sql:b]\n< [rows:SELECT 2]\n");
  inside.feed(kAsk, one + one + kSync + query("b")).feed(kAnswer, kError + "Z");
  EXPECT_FALSE(inside.machine->skip(kAnswer, 10));
  EXPECT_FALSE(inside.machine->resume(kAnswer, ready(), ended)) << "two calls ended";
}

const std::vector<Exchange>& exchanges() {
  static const std::vector<Exchange> all = {
      {{kAsk, kStartup},
       {kAnswer, kAuthenticated + ready()},
       {kAsk, query("select 'two'")},
       {kAnswer, kColumns + kRow + complete("SELECT 1") + ready()},
       {kAsk, query("selec")},
       {kAnswer, kError + ready()}},
      {{kAsk, kSslRequest}, {kAnswer, "N"}, {kAsk, kStartup}, {kAnswer, kFatal}},
      {{kAsk, kStartup},
       {kAnswer, kAuthenticated + ready()},
       {kAsk, parse("a b", "select $1") + describe("a b") + kFlush},
       {kAnswer, kParsed + message('t', "\0\1\0\0\0\x19"s) + kColumns},
       {kAsk, binding("a b") + execute("p") + execute("p") + binding("") + execute() + binding("") + execute() +
                  closing("a") + kSync},
       {kAnswer, kBound + kRow + complete("SELECT 1") + kError + ready('E') + message('A', "\0\0\0\1ch\0s\0"s)}}};
  return all;
}

TEST(Postgresql, CutsChangeNothing) {
  for (const Exchange& exchange : exchanges()) {
    Reader whole(true);
    whole.all(exchange);
    ASSERT_FALSE(whole.refused) << whole.messages;
    Reader bytes(true);
    for (const auto& [side, text] : exchange)
      for (const char c : text) bytes.feed(side, {&c, 1});
    EXPECT_EQ(bytes.messages, whole.messages);
    for (const int i : {0, 1}) EXPECT_EQ(bytes.masked[i], whole.masked[i]);
    for (std::size_t piece = 0; piece < exchange.size(); piece++) {
      for (std::size_t at = 1; at < exchange[piece].bytes.size(); at++) {
        Reader cut(true);
        for (std::size_t i = 0; i < exchange.size(); i++) {
          const std::string_view text = exchange[i].bytes;
          cut.feed(exchange[i].side, text.substr(0, i == piece ? at : text.size()));
          if (i == piece) cut.feed(exchange[i].side, text.substr(at));
        }
        ASSERT_EQ(cut.messages, whole.messages) << piece << " " << at;
        for (const int i : {0, 1}) ASSERT_EQ(cut.masked[i], whole.masked[i]) << piece << " " << at;
      }
    }
  }
}

TEST(Postgresql, MaskedBytesReadAsWholeOnes) {
  for (const Exchange& exchange : exchanges()) {
    Reader whole(true), again(true);
    whole.all(exchange);
    std::size_t at[2] = {};
    for (const auto& [side, text] : exchange) {
      const auto i = static_cast<std::size_t>(side);
      again.feed(side, std::string_view(whole.masked[i]).substr(at[i], text.size()));
      at[i] += text.size();
    }
    EXPECT_EQ(again.messages, whole.messages);
    for (const int i : {0, 1}) EXPECT_EQ(again.masked[i], whole.masked[i]);
  }
}

TEST(Postgresql, IllegalBytesAreRefused) {
  const auto refuses = [](Side side, const std::string& bytes, bool from_beginning = false) {
    return Reader(from_beginning).feed(side, bytes).refused;
  };
  EXPECT_TRUE(refuses(kAsk, "GET / HTTP/1.1\r\n"));
  EXPECT_TRUE(refuses(kAsk, "POST / HTTP/1.1\r\n")) << "a length of 1.3 GB";
  EXPECT_TRUE(refuses(kAsk, "\x16\3\1\2\0\1"s, true)) << "TLS";
  EXPECT_TRUE(refuses(kAsk, message('S', "x")));
  EXPECT_TRUE(refuses(kAsk, message('Q', "select 1"))) << "the NUL byte is missing";
  EXPECT_TRUE(refuses(kAsk, message('Q', "a\0b\0"s)));
  EXPECT_TRUE(refuses(kAsk, message('E', "\0\0\0\0\0\0"s)));
  EXPECT_TRUE(refuses(kAsk, message('D', "Xa\0"s)));
  EXPECT_TRUE(refuses(kAnswer, message('Z', "X")));
  EXPECT_TRUE(refuses(kAnswer, message('E', "SERROR\0"s)));
  EXPECT_TRUE(refuses(kAnswer, "HTTP/1.1 200 OK\r\n", true));
}

TEST(Postgresql, OutstandingRequestsAreBounded) {
  Reader r;
  for (int i = 0; i < 4096; i++) r.feed(kAsk, query(""));
  EXPECT_FALSE(r.refused);
  r.feed(kAsk, query(""));
  EXPECT_TRUE(r.refused);
}

TEST(Postgresql, RandomBytesDoNoHarm) {
  std::mt19937 random(7);
  const std::string types = "QPBCDEFSHXdcfp123nsIZTtDAKGHWVRvN";
  for (int round = 0; round < 20'000; round++) {
    const bool from_beginning = round % 3 == 0;
    const auto machine = postgresql::machine(from_beginning);
    std::string bytes = from_beginning && round % 2 == 0 ? kStartup : "";
    for (int i = 0; i < 12; i++) {
      std::string body(random() % 12, '\0');
      for (char& c : body) c = static_cast<char>(random() % 3 == 0 ? 0 : random());
      bytes += message(types[random() % types.size()], body);
    }
    std::string_view rest = bytes;
    while (!rest.empty()) {
      const Side side = random() % 2 == 0 ? kAsk : kAnswer;
      if (random() % 16 == 0) machine->skip(side, random() % 9);
      Token ended;
      if (random() % 16 == 0) machine->resume(side, ready(), ended);
      const Token token = machine->next(side, rest.substr(0, 1 + random() % rest.size()));
      ASSERT_LE(token.size, rest.size());
      rest.remove_prefix(std::max<std::size_t>(token.size, 1));
      postgresql::proves(side, rest, rest.size() + random() % 3);
      postgresql::begins(side, rest);
    }
  }
}

}  // namespace
}  // namespace tailcap::formats::calls::postgresql_test
