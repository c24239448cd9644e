// Name lookups: parsing any bytes, joining questions and answers, and what the first request of a connection waited
// for.
#include <gtest/gtest.h>

#include "analyze/names/dns_message.h"
#include "analyze/names/lookups.h"
#include "analyze/pipeline/pipeline.h"
#include "tests/unit/protocols/tls_wire.h"

namespace tailcap::names_test {
namespace {

using formats::Direction;
using formats::Event;
using wire::be;
using namespace std::chrono_literals;
using namespace std::string_literals;

std::string labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    out += wire::sized(name.substr(0, dot), 1);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}
std::string query(std::uint16_t id, std::string_view name, std::uint16_t type) {
  return be(id, 2) + be(0x0100, 2) + be(1, 2) + be(0, 6) + labels(name) + be(type, 2) + be(1, 2);
}
std::string answer(std::uint16_t id, std::string_view name, std::uint16_t type, int rcode,
                   const std::vector<std::string>& addresses) {
  std::string out = be(id, 2) + be(0x8180u | static_cast<unsigned>(rcode), 2) + be(1, 2) + be(addresses.size(), 2) +
                    be(0, 4) + labels(name) + be(type, 2) + be(1, 2);
  for (const auto& a : addresses) out += "\xc0\x0c"s + be(type, 2) + be(1, 2) + be(60, 4) + wire::sized(a, 2);
  return out;
}

TEST(DnsMessage, QuestionAndAnswers) {
  const auto m = names::parse_dns(answer(7, "shop.Test", 1, 0, {"\x0a\0\0\x01"s, "\x0a\0\0\x02"s}));
  ASSERT_TRUE(m);
  EXPECT_TRUE(m->response);
  EXPECT_EQ(m->name, "shop.Test");
  EXPECT_EQ(m->id, 7);
  ASSERT_EQ(m->addresses.size(), 2u);
  EXPECT_EQ(m->addresses[1][15], 2);
  EXPECT_EQ(names::parse_dns(query(7, "a\x01z", 28))->name, "a\\001z");
}

TEST(DnsMessage, EndsAnywhere) {
  const std::string whole = answer(7, "shop.test", 28, 0, {std::string(16, 'x'), std::string(16, 'y')});
  std::size_t last = 0;
  for (std::size_t n = 0; n <= whole.size(); ++n) {
    const auto m = names::parse_dns(std::string_view(whole).substr(0, n));
    ASSERT_EQ(m.has_value(), n >= 12 + 11 + 4) << n;
    if (!m) continue;
    EXPECT_GE(m->addresses.size(), last);
    last = m->addresses.size();
  }
  EXPECT_EQ(last, 2u);
}

TEST(DnsMessage, PointersEnd) {
  const std::string head = be(1, 2) + be(0x8180, 2) + be(1, 2) + be(1, 2) + be(0, 4);
  EXPECT_FALSE(names::parse_dns(head + "\xc0\x0c" + be(1, 2) + be(1, 2)));  // a pointer to itself
  EXPECT_FALSE(names::parse_dns(head + "\xc0\x20" + be(1, 2) + be(1, 2)));  // a forward pointer
  EXPECT_FALSE(names::parse_dns(head +
                                "\x40"
                                "ab" +
                                be(1, 2) + be(1, 2)));  // neither a label nor a pointer
  std::string longest = head;
  for (int i = 0; i < 10; ++i) longest += wire::sized(std::string(60, 'a'), 1);
  EXPECT_FALSE(names::parse_dns(longest + '\0' + be(1, 2) + be(1, 2)));  // longer than 255 bytes
}

class Names : public ::testing::Test {
 protected:
  Event& add(model::Duration at, formats::Body body, formats::Thread who = {}) {
    Event e;
    e.time = formats::time_from(1'000'000'000) + at;
    e.thread = who;
    e.body = std::move(body);
    events.push_back(e);
    return events.back();
  }
  void socket(model::Duration at, std::uint64_t id) {
    formats::SocketInfo info;
    info.socket = id;
    info.family = formats::Family::inet;
    info.type = formats::SocketType::datagram;
    info.remote.bytes = {127, 0, 0, 53};
    info.remote.port = 53;
    add(at, info);
  }
  void move(model::Duration at, std::uint64_t id, Direction d, std::string bytes, formats::Thread who = {9, 10}) {
    texts.push_back(std::make_unique<std::string>(std::move(bytes)));
    formats::Io io;
    io.socket = id;
    io.direction = d;
    io.payload = formats::Payload::captured;
    io.head = *texts.back();
    io.length = static_cast<std::uint32_t>(io.head.size());
    add(at, io, who);
  }
  void ask(model::Duration at, std::uint64_t socket_id, std::uint16_t id, std::string_view name,
           formats::Thread who = {9, 10}) {
    move(at, socket_id, Direction::out, query(id, name, 1), who);
  }
  void reply(model::Duration at, std::uint64_t socket_id, std::uint16_t id, std::string_view name, int rcode = 0) {
    move(at, socket_id, Direction::in,
         answer(id, name, 1, rcode, rcode == 0 ? std::vector{"\x0a\0\0\x01"s} : std::vector<std::string>{}));
  }
  std::vector<model::Lookup> lookups() {
    add(100s, formats::CaptureEnd{});
    names::Lookups stage;
    std::vector<model::Lookup> out;
    for (const Event& e : events)
      for (const auto& l : stage.push(e)) out.push_back(l);
    return out;
  }
  // A client connection with one request.
  void connection(model::Duration at, std::uint64_t id, std::uint32_t pid, int error = 0) {
    using formats::TcpState;
    formats::SocketInfo info;
    info.socket = id;
    info.family = formats::Family::inet;
    info.type = formats::SocketType::stream;
    info.origin = formats::Origin::connected;
    info.state = TcpState::syn_sent;
    info.remote.bytes = {10, 0, 0, 1};
    info.remote.port = 80;
    add(at, formats::StateChange{id, TcpState::close, TcpState::syn_sent, true, 0}, {pid, pid});
    add(at, info);
    if (error != 0) {
      add(at + 1ms, formats::StateChange{id, TcpState::syn_sent, TcpState::close, false, error});
      return;
    }
    add(at + 2ms, formats::StateChange{id, TcpState::syn_sent, TcpState::established, false, 0});
    info.state = TcpState::established;
    info.next_out = 1000;
    info.next_in = 5000;
    add(at + 2ms, info);
    texts.push_back(std::make_unique<std::string>("GET / HTTP/1.1\r\nHost: shop\r\n\r\n"));
    formats::Io io;
    io.socket = id;
    io.payload = formats::Payload::captured;
    io.head = *texts.back();
    io.length = static_cast<std::uint32_t>(io.head.size());
    io.position = 1000;
    add(at + 3ms, io, {pid, pid});
    texts.push_back(std::make_unique<std::string>("HTTP/1.1 204 No\r\n\r\n"));
    io.direction = Direction::in;
    io.head = *texts.back();
    io.length = static_cast<std::uint32_t>(io.head.size());
    io.position = 5000;
    add(at + 9ms, io, {pid, pid});
  }
  pipeline::Analysis analyse() {
    add(100s, formats::CaptureEnd{});
    return pipeline::analyze({}, events);
  }

  std::vector<Event> events;
  std::vector<std::unique_ptr<std::string>> texts;
};

TEST_F(Names, AnswerAndTime) {
  socket(0ms, 5);
  ask(1ms, 5, 77, "shop.test");
  reply(51ms, 5, 77, "shop.test");
  const auto all = lookups();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].rcode, 0);
  EXPECT_EQ(all[0].attempts, 1u);
  EXPECT_EQ(all[0].done - all[0].began, 50ms);
  EXPECT_EQ(all[0].thread.tid, 10u);
}

TEST_F(Names, AskedAgainIsOneLookup) {
  socket(0ms, 5);
  socket(0ms, 6);
  ask(1ms, 5, 77, "shop.test");
  ask(1001ms, 5, 77, "shop.test");
  ask(2001ms, 6, 78, "shop.test");  // another socket, as after a new connect
  reply(2051ms, 6, 78, "shop.test", 3);
  const auto all = lookups();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].attempts, 3u);
  EXPECT_EQ(all[0].rcode, 3);
  EXPECT_EQ(all[0].done - all[0].began, 2050ms);
}

TEST_F(Names, StrangersAnswersAreNone) {
  socket(0ms, 5);
  socket(0ms, 6);
  ask(1ms, 5, 77, "shop.test");
  reply(2ms, 5, 78, "shop.test");   // another id
  reply(3ms, 5, 77, "other.test");  // another name
  reply(4ms, 6, 77, "shop.test");   // another socket
  const auto all = lookups();
  ASSERT_EQ(all.size(), 1u);
  EXPECT_EQ(all[0].rcode, -1);
}

TEST_F(Names, DatagramsAreNoConnections) {
  socket(0ms, 5);
  ask(1ms, 5, 77, "shop.test");
  reply(51ms, 5, 77, "shop.test");
  const auto analysis = analyse();
  EXPECT_EQ(analysis.study.quality.connections, 0u);
  ASSERT_EQ(analysis.study.names.size(), 1u);
  EXPECT_EQ(analysis.study.names[0].median, 50ms);
}

TEST_F(Names, SetupOfTheFirstRequest) {
  socket(0ms, 5);
  ask(1ms, 5, 77, "shop.test");
  reply(51ms, 5, 77, "shop.test");
  connection(52ms, 20, 9);
  const auto a = analyse();
  ASSERT_EQ(a.table.rows.size(), 1u);
  const model::Setup* s = a.table.setups.find(a.table.rows[0].id);
  ASSERT_NE(s, nullptr);
  EXPECT_EQ(s->dns(), 50ms);
  EXPECT_EQ(s->connect(), 2ms);
  EXPECT_LT(s->tls().count(), 0);
  EXPECT_EQ(a.table.rows.start(0) - s->began(), 54ms);
  EXPECT_EQ(a.table.rows.duration(0), 6ms) << "none of it is in the duration";
}

TEST_F(Names, ALookupBelongsToOneConnection) {
  socket(0ms, 5);
  ask(1ms, 5, 77, "shop.test");
  reply(51ms, 5, 77, "shop.test");
  connection(52ms, 20, 9);
  connection(72ms, 21, 9);
  const auto a = analyse();
  ASSERT_EQ(a.table.rows.size(), 2u);
  EXPECT_EQ(a.table.setups.find(a.table.rows[0].id)->dns(), 50ms);
  EXPECT_LT(a.table.setups.find(a.table.rows[1].id)->dns().count(), 0);
}

TEST_F(Names, AfterAFailedConnectTheNextHasIt) {
  socket(0ms, 5);
  ask(1ms, 5, 77, "shop.test");
  reply(51ms, 5, 77, "shop.test");
  connection(52ms, 20, 9, 111);
  connection(60ms, 21, 9);
  const auto a = analyse();
  ASSERT_EQ(a.table.rows.size(), 2u);
  EXPECT_EQ(a.table.rows[0].protocol, model::Protocol::tcp);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_EQ(a.table.setups.find(a.table.rows[i].id)->dns(), 50ms);
  EXPECT_EQ(a.study.failures.size(), 1u);
}

TEST_F(Names, AnotherProcessKnowsNothingOfIt) {
  socket(0ms, 5);
  ask(1ms, 5, 77, "shop.test");
  reply(51ms, 5, 77, "shop.test");
  connection(52ms, 20, 99);
  const auto a = analyse();
  ASSERT_EQ(a.table.rows.size(), 1u);
  EXPECT_LT(a.table.setups.find(a.table.rows[0].id)->dns().count(), 0);
}

// What was asked for in vain: "NAME CAUSE", "NAME" where it was under way at the end.
std::vector<std::string> texts_of(const std::vector<model::FailedName>& names) {
  std::vector<std::string> out;
  for (const model::FailedName& n : names) out.push_back(n.name + (n.cause.empty() ? "" : " " + n.cause));
  return out;
}

class FailedNames : public Names {
 protected:
  void SetUp() override { socket(0ms, 5); }
  void asked(model::Duration at, std::string_view name, std::uint16_t type = 1, formats::Thread who = {9, 10}) {
    move(at, 5, Direction::out, query(static_cast<std::uint16_t>(40 + type), name, type), who);
  }
  void told(model::Duration at, std::string_view name, int rcode, std::uint16_t type = 1, bool found = false,
            formats::Thread who = {9, 10}) {
    const std::string address = type == 28 ? std::string(16, 'x') : "\x0a\0\0\x01"s;
    move(at, 5, Direction::in,
         answer(static_cast<std::uint16_t>(40 + type), name, type, rcode,
                found ? std::vector{address} : std::vector<std::string>{}),
         who);
  }
  void slept(model::Duration from, model::Duration to, formats::Thread who = {9, 10}) {
    formats::OffCpu off;
    off.left = formats::time_from(1'000'000'000) + from;
    off.runnable = formats::time_from(1'000'000'000) + to;
    off.state = 1;
    off.syscall = 7;  // poll, of one descriptor
    off.argument1 = 1;
    off.socket = 5;
    add(to + 10us, off, who);
  }
  // It moves bytes of a connection.
  void moves(model::Duration at, formats::Thread who = {9, 10}) { move(at, 20, Direction::out, "x", who); }
  std::vector<model::FailedName> failed() {
    add(100s, formats::CaptureEnd{});
    names::Lookups stage;
    std::vector<model::FailedName> out;
    for (const Event& e : events) {
      stage.push(e);
      for (const auto& f : stage.failed()) out.push_back(f);
    }
    return out;
  }
  using Texts = std::vector<std::string>;
};

TEST_F(FailedNames, BothFamiliesAreOne) {
  asked(1ms, "shop.test");
  asked(1ms, "shop.test", 28);
  told(20ms, "shop.test", 3);
  told(30ms, "shop.test", 3, 28);
  const auto all = failed();
  ASSERT_EQ(texts_of(all), Texts{"shop.test NXDOMAIN"});
  EXPECT_EQ(all[0].done - all[0].began, 29ms);
  EXPECT_EQ(all[0].asker.tid, 10u);
}

TEST_F(FailedNames, OneFamilyIsEnough) {
  asked(1ms, "shop.test");
  asked(1ms, "shop.test", 28);
  told(20ms, "shop.test", 0, 1, true);
  told(30ms, "shop.test", 2, 28);
  EXPECT_EQ(texts_of(failed()), Texts{});
}

TEST_F(FailedNames, WithoutAnAddress) {
  asked(1ms, "shop.test");
  told(20ms, "shop.test", 0);
  EXPECT_EQ(texts_of(failed()), Texts{"shop.test no address"});
}

TEST_F(FailedNames, SearchListInVain) {
  int at = 1;
  for (const char* name : {"shop.first.test", "shop.second.test", "shop"}) {
    asked(at * 10ms, name);
    told(at * 10ms + 5ms, name, 3);
    ++at;
  }
  const auto all = failed();
  ASSERT_EQ(texts_of(all), Texts{"shop NXDOMAIN"});
  EXPECT_EQ(all[0].done - all[0].began, 25ms);
}

TEST_F(FailedNames, FoundByTheSearchList) {
  asked(1ms, "shop.first.test");
  told(2ms, "shop.first.test", 3);
  asked(3ms, "shop.second.test");
  told(4ms, "shop.second.test", 0, 1, true);
  EXPECT_EQ(texts_of(failed()), Texts{});
}

TEST_F(FailedNames, NamesThatAreNoSearchList) {
  asked(1ms, "shop.first.test");
  told(2ms, "shop.first.test", 3);
  asked(3ms, "shop.second.test");
  told(4ms, "shop.second.test", 2);
  EXPECT_EQ(texts_of(failed()), (Texts{"shop.first.test NXDOMAIN", "shop.second.test SERVFAIL"}));
}

TEST_F(FailedNames, TheNextServerKnows) {
  asked(1ms, "shop.test");
  told(2ms, "shop.test", 2);
  asked(3ms, "shop.test");
  told(4ms, "shop.test", 0, 1, true);
  EXPECT_EQ(texts_of(failed()), Texts{});
}

TEST_F(FailedNames, ItDidSomethingElseBetweenThem) {
  asked(1ms, "shop.test");
  told(2ms, "shop.test", 2);
  moves(3ms);
  asked(4ms, "shop.test");
  told(5ms, "shop.test", 2);
  EXPECT_EQ(texts_of(failed()), (Texts{"shop.test SERVFAIL", "shop.test SERVFAIL"}));
}

TEST_F(FailedNames, ThreadsAskForThemselves) {
  for (const std::uint32_t tid : {10u, 11u}) asked(1ms, "shop.test", 1, {9, tid});
  told(2ms, "shop.test", 3, 1, false, {9, 10});
  told(3ms, "shop.test", 3, 1, false, {9, 11});
  const auto all = failed();
  // Their questions have the same number: the first answer is taken for that to the first.
  ASSERT_EQ(texts_of(all), (Texts{"shop.test NXDOMAIN", "shop.test NXDOMAIN"}));
  EXPECT_NE(all[0].asker.tid, all[1].asker.tid);
}

TEST_F(FailedNames, GivenUp) {
  asked(1ms, "shop.test");
  slept(2ms, 1002ms);
  asked(1003ms, "shop.test");
  slept(1004ms, 2004ms);
  moves(2005ms);
  const auto all = failed();
  ASSERT_EQ(texts_of(all), Texts{"shop.test no answer"});
  EXPECT_EQ(all[0].done - all[0].began, 2003ms);
}

TEST_F(FailedNames, NobodySawItGivenUp) {
  asked(1ms, "shop.test");
  add(40s, formats::TaskExit{}, {8, 8});
  const auto all = failed();
  ASSERT_EQ(texts_of(all), Texts{"shop.test no answer"});
  EXPECT_FALSE(formats::known(all[0].done));
}

TEST_F(FailedNames, UnderWayAtTheEnd) {
  asked(99s, "shop.test");
  const auto all = failed();
  ASSERT_EQ(texts_of(all), Texts{"shop.test"});
  EXPECT_TRUE(all[0].in_flight);
}

TEST_F(FailedNames, UnknownWhereEventsWereLost) {
  asked(1ms, "shop.test");
  told(2ms, "shop.test", 3);
  formats::Loss loss;
  loss.kind = static_cast<std::uint8_t>(formats::Kind::receive);
  loss.count = 1;
  add(100ms, loss);
  EXPECT_EQ(texts_of(failed()), Texts{});
}

TEST_F(FailedNames, UnknownWhereAnAnswerHasNoQuestion) {
  asked(1ms, "shop.test", 28);
  told(2ms, "shop.test", 0, 1, true);
  told(3ms, "shop.test", 0, 28);
  EXPECT_EQ(texts_of(failed()), Texts{});
}

TEST_F(FailedNames, IsACallAndNoConnection) {
  asked(1ms, "shop.test");
  told(21ms, "shop.test", 3);
  const auto a = analyse();
  ASSERT_EQ(a.table.rows.size(), 1u);
  const model::Request row = a.table.rows[0];
  EXPECT_EQ(row.protocol, model::Protocol::dns);
  EXPECT_EQ(a.table.texts[row.method], "LOOKUP");
  EXPECT_EQ(a.table.texts[row.path], "shop.test");
  EXPECT_EQ(a.table.texts[row.store.error_code], "NXDOMAIN");
  EXPECT_EQ(row.outcome, model::Outcome::no_response);
  EXPECT_EQ(row.at_least, 20'000'000);
  EXPECT_EQ(a.study.quality.connections, 0u);
  ASSERT_EQ(a.study.troubles.size(), 1u);
  EXPECT_EQ(a.study.troubles[0].cause, "NXDOMAIN");
}

}  // namespace
}  // namespace tailcap::names_test
