// Bytes in order: positions, gaps, arrivals, ends, and the facts about a connection.
#include "analyze/streams/streams.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>

#include "analyze/streams/arrivals.h"
#include "analyze/streams/unwrap.h"
#include "tests/synth/scenario.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using formats::Direction;
using model::ByteRun;
using model::End;
using model::Finding;
using synth::Endpoint;
using synth::kStart;
using synth::Opening;
using synth::Scenario;

// A run with a copy of its bytes; the views do not outlive the push.
struct Seen {
  ByteRun run;
  std::string bytes;
  std::vector<model::ArrivalMark> arrivals;
};

struct Streamed {
  std::vector<Seen> all;
  streams::Streams streams;
  void push(const formats::Event& e) {
    for (const ByteRun& r : streams.push(e)) {
      Seen s{r, std::string(r.head), {r.arrivals.begin(), r.arrivals.end()}};
      s.bytes.append(r.length - r.head.size() - r.tail.size(), '?').append(r.tail);
      all.push_back(std::move(s));
    }
  }
  explicit Streamed(const std::vector<formats::Event>& events) {
    for (const auto& e : events) push(e);
  }
  std::string text(Direction d) const {
    std::string t;
    for (const Seen& s : all)
      if (s.run.direction == d) t.append(s.run.gap, '_').append(s.bytes);
    return t;
  }
  End end(Direction d) const {
    for (const Seen& s : all)
      if (s.run.direction == d && s.run.end != End::none) return s.run.end;
    return End::none;
  }
};

TEST(Unwrap, NearestOffset) {
  EXPECT_EQ(streams::unwrap(1005, 1000, 0), 5);
  EXPECT_EQ(streams::unwrap(3, 0xfffffffe, 0), 5);
  EXPECT_EQ(streams::unwrap(999, 1000, 0), -1);
  const std::int64_t far = (std::int64_t{1} << 40) + 7;
  EXPECT_EQ(streams::unwrap(static_cast<std::uint32_t>(1000 + far), 1000, far - 1'000'000'000), far);
  EXPECT_EQ(streams::unwrap(static_cast<std::uint32_t>(1000 + far), 1000, far + 1'000'000'000), far);
}

TEST(Arrivals, AHoleDelaysWhatIsBehindIt) {
  streams::ArrivalTracker a;
  a.start(0);
  const auto at = [](int ms) { return kStart + std::chrono::milliseconds{ms}; };
  a.add(0, 10, at(1));
  a.add(20, 30, at(2));  // out of order
  a.add(0, 10, at(3));   // repeated: already known
  a.add(10, 20, at(5));
  std::vector<model::ArrivalMark> marks;
  const auto taken = a.take(0, 30, at(6), marks);
  EXPECT_FALSE(taken.missing || taken.negative);
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].end, 10u);
  EXPECT_EQ(marks[0].time, at(1));
  EXPECT_EQ(marks[1].end, 30u);
  EXPECT_EQ(marks[1].time, at(5));
}

TEST(Arrivals, WhatWasNotSeenIsUnknown) {
  streams::ArrivalTracker a;
  a.start(0);
  a.add(10, 20, kStart + 2ms);
  std::vector<model::ArrivalMark> marks;
  EXPECT_TRUE(a.take(0, 20, kStart + 5ms, marks).missing);
  ASSERT_EQ(marks.size(), 2u);
  EXPECT_EQ(marks[0].end, 10u);
  EXPECT_EQ(marks[0].time, formats::kNoTime);
  EXPECT_EQ(marks[1].time, kStart + 2ms);
}

TEST(Arrivals, LaterThanTheReadIsAContradiction) {
  streams::ArrivalTracker a;
  a.start(0);
  a.add(0, 10, kStart + 9ms);
  std::vector<model::ArrivalMark> marks;
  EXPECT_TRUE(a.take(0, 10, kStart + 5ms, marks).negative);
  EXPECT_EQ(marks.at(0).time, kStart + 5ms);
}

TEST(Arrivals, MemoryIsBounded) {
  streams::ArrivalTracker a;
  a.start(0);
  for (std::int64_t i = 0; i < 100'000; ++i) a.add(i, i + 1, kStart + i * 1us);
  std::vector<model::ArrivalMark> marks;
  a.take(0, 100'000, kStart + 1s, marks);
  EXPECT_LE(marks.size(), streams::kMaxArrivalMarks);
  EXPECT_EQ(marks[5].time, kStart + 5us);
  EXPECT_EQ(marks.back().end, 100'000u);
  EXPECT_EQ(marks.back().time, formats::kNoTime);
}

TEST(Streams, PositionFirstTimeSecond) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.send(1ms, "abc").send(2ms, "def").send(3ms, "ghi");
  auto events = s.as_added();
  std::swap(events[1], events[3]);
  const Streamed r(events);
  EXPECT_EQ(r.text(Direction::out), "abcdefghi");
  for (std::size_t i = 1; i < r.all.size(); ++i) EXPECT_GE(r.all[i].run.done, r.all[i - 1].run.done);
}

TEST(Streams, AGapIsFinalWhenNothingFillsItInTime) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  Endpoint& other = s.open(0ms);
  e.send(1ms, "abc").lose_send(5).send(2ms, "xyz");
  other.send(50ms, "early").send(200ms, "late");
  const Streamed r(s.events());
  std::vector<std::string> order;
  for (const Seen& x : r.all) order.push_back(x.bytes);
  EXPECT_EQ(order, (std::vector<std::string>{"abc", "early", "xyz", "late"}));
  EXPECT_EQ(r.all[2].run.gap, 5u);
  EXPECT_EQ(r.streams.findings()[Finding::bytes_lost], 5u);
  EXPECT_EQ(r.streams.connection(1)->lost_out, 5u);
  EXPECT_EQ(r.streams.connection(1)->bytes_out, 6u);
  EXPECT_EQ(r.streams.connection(1)->events_missed, 1u);
}

TEST(Streams, WhatTheKernelAddedIsOnTheWireAndNoGap) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.send(1ms, "abc").add_to_send(1ms, 118).send(2ms, "xyz").add_to_send(2ms, 236).send(3ms, "uvw");
  const Streamed r(s.events());
  EXPECT_EQ(r.text(Direction::out), "abcxyzuvw");
  EXPECT_EQ(r.all[1].run.offset, 121u) << "offsets are those on the wire: the other end has them, too";
  EXPECT_EQ(r.all[2].run.offset, 360u);
  EXPECT_EQ(r.streams.findings()[Finding::bytes_lost], 0u);
  EXPECT_EQ(r.streams.connection(1)->lost_out, 0u);
  EXPECT_EQ(r.streams.connection(1)->bytes_out, 9u);
  // Where the send itself was lost, all of it is a gap.
  Scenario t;
  t.open(0ms).send(1ms, "abc").lose_send(3).add_to_send(2ms, 118).send(200ms, "uvw");
  const Streamed u(t.with_end());
  EXPECT_EQ(u.text(Direction::out), "abc" + std::string(121, '_') + "uvw");
}

TEST(Streams, WhatIsHeldIsBounded) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.lose_send(10);
  for (int i = 0; i < 1000; ++i) e.send(1ms, std::string(100, 'x'));
  streams::Streams streams;
  std::size_t runs = 0;
  for (const auto& event : s.as_added()) runs += streams.push(event).size();
  EXPECT_GT(runs, 700u);  // given up long before the time limit
  EXPECT_EQ(streams.findings()[Finding::bytes_lost], 10u);
}

TEST(Streams, TheSameBytesTwiceCountOnce) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.send(1ms, "abcdef");
  formats::Io io = std::get<formats::Io>(s.as_added().back().body);
  io.position += 3;
  io.head = "defghi";
  s.add(2ms, {1, 1}, io);
  const Streamed r(s.events());
  EXPECT_EQ(r.text(Direction::out), "abcdefghi");
  EXPECT_EQ(r.streams.findings()[Finding::position_overlap], 1u);
  EXPECT_EQ(r.streams.connection(1)->bytes_out, 9u);
}

TEST(Streams, AReadOfNothingIsTheEndOnlyWhereTheFinIsCounted) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "abc");
  formats::Io zero;  // recv(fd, buf, 0)
  zero.socket = e.socket();
  zero.direction = Direction::in;
  zero.position = 5003;
  s.add(3ms, {1, 1}, zero);
  e.receive(4ms, 5ms, "def").fin_arrives(6ms).eof(7ms);
  const Streamed r(s.events());
  EXPECT_EQ(r.text(Direction::in), "abcdef");
  EXPECT_EQ(r.end(Direction::in), End::fin);
}

TEST(Streams, BytesInFrontOfACountedFinAreLost) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "abc").lose_read(4).eof(3ms);
  const Streamed r(s.with_end());
  EXPECT_EQ(r.text(Direction::in), "abc____");
  EXPECT_EQ(r.end(Direction::in), End::fin);
}

TEST(Streams, AnEndWaitsForBytesThatItOvertook) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 2ms, "q").shut_down(4ms).close(5ms).send(3ms, "answer");
  const Streamed r(s.as_added());  // the send is seen after the close
  std::vector<formats::Event> all = s.as_added();
  all.push_back({kStart + 1s, {}, formats::CaptureEnd{}});
  const Streamed whole(all);
  EXPECT_EQ(whole.text(Direction::out), "answer");
  EXPECT_EQ(whole.end(Direction::out), End::fin);
}

TEST(Streams, EndsAreNamed) {
  const auto ends = [](auto play, Direction d) {
    Scenario s;
    play(s.open(0ms).receive(1ms, 2ms, "q").send(3ms, "a"));
    return Streamed(s.with_end()).end(d);
  };
  EXPECT_EQ(ends([](Endpoint&) {}, Direction::in), End::capture);
  EXPECT_EQ(ends([](Endpoint& e) { e.reset(4ms, Direction::in).close(4ms, 104); }, Direction::in), End::reset);
  EXPECT_EQ(ends([](Endpoint& e) { e.reset(4ms, Direction::in).close(4ms, 104); }, Direction::out), End::reset);
  EXPECT_EQ(ends([](Endpoint& e) { e.close(4ms, 110); }, Direction::in), End::error);
  EXPECT_EQ(ends([](Endpoint& e) { e.fin_arrives(4ms); }, Direction::in), End::fin);
  EXPECT_EQ(ends([](Endpoint& e) { e.shut_down(4ms); }, Direction::out), End::fin);
  EXPECT_EQ(ends([](Endpoint& e) { e.shut_down(4ms).close(5ms); }, Direction::in),
            End::error);  // own close, no FIN seen
}

TEST(Streams, UnixSocketsCountBytes) {
  Scenario s;
  Opening o;
  o.family = formats::Family::unix_domain;
  o.path = "/run/x";
  Endpoint& tcp = s.open(0ms);
  Endpoint& e = s.open(0ms, o);
  tcp.receive(1ms, 2ms, "makes arrivals expected");
  e.read(3ms, "abc").send(4ms, "de").eof(5ms);
  const Streamed r(s.events());
  EXPECT_EQ(r.text(Direction::in), "makes arrivals expectedabc");  // at once: UNIX sockets have no arrivals
  EXPECT_EQ(r.end(Direction::in), End::fin);
  EXPECT_EQ(r.streams.connection(2)->path, "/run/x");
  EXPECT_EQ(model::endpoint(*r.streams.connection(2), false), "unix:/run/x");
}

TEST(Streams, KeyframesRepeatWhatIsKnown) {
  Scenario s;
  Endpoint& e = s.open(0ms);
  e.send(1ms, "abc");
  s.add(2ms, {}, e.info());
  e.send(3ms, "def");
  s.add(4ms, {}, e.info());
  const Streamed r(s.events());
  EXPECT_EQ(r.text(Direction::out), "abcdef");
  EXPECT_EQ(r.streams.connections(), 1u);
}

// The ring lagged when the keyframe was written: earlier events come after it.
TEST(Streams, AKeyframeAheadOfItsRingLosesNothing) {
  for (const bool described : {true, false}) {
    Scenario s;
    Endpoint& e = s.open(0ms);
    e.receive(1ms, 2ms, "abc").send(3ms, "def").receive(4ms, 5ms, "ghi").send(6ms, "jkl");
    s.add(7ms, {}, e.info());
    e.receive(8ms, 9ms, "mno").send(10ms, "pqr");
    auto events = s.as_added();
    const auto keyframe = std::find_if(events.begin() + 1, events.end(), [](const auto& x) {
      return std::holds_alternative<formats::SocketInfo>(x.body);
    });
    ASSERT_NE(keyframe, events.end());
    std::rotate(events.begin(), keyframe, keyframe + 1);
    if (!described) events.erase(events.begin() + 1);  // the description in the ring was lost
    const Streamed r(events);
    EXPECT_EQ(r.text(Direction::in), "abcghimno");
    EXPECT_EQ(r.text(Direction::out), "defjklpqr");
    EXPECT_EQ(r.streams.findings()[Finding::position_overlap], 0u);
    for (const Seen& seen : r.all) EXPECT_EQ(seen.run.first_known, described);
    for (const Seen& seen : r.all)
      for (const auto& mark : seen.arrivals) EXPECT_TRUE(formats::known(mark.time));
  }
}

// After a loss, a description gives a connection's current positions, not its first ones.
TEST(Streams, AKeyframeAfterALossIsNoBeginning) {
  Scenario s;
  Opening o;
  o.described = false;
  Endpoint& e = s.open(0ms, o);
  e.send(1ms, "abc");
  s.add(2ms, {}, e.info());
  e.send(3ms, "def");
  auto events = s.events();
  std::erase_if(events, [](const auto& x) { return x.time == kStart + 1ms; });
  events.insert(events.begin(), {kStart + 1ms, {}, formats::Loss{kStart, formats::LossCause::ring_full, 255, 2}});
  const Streamed r(events);
  EXPECT_EQ(r.text(Direction::out), "def");
  EXPECT_FALSE(r.all.at(0).run.first_known);
}

TEST(Streams, AConnectionThatFailedIsOnlyFacts) {
  Scenario s;
  Opening o;
  o.origin = formats::Origin::connected;
  Endpoint& e = s.open(0ms, o);
  e.state(1ms, formats::TcpState::close, formats::TcpState::syn_sent)
      .state(2ms, formats::TcpState::syn_sent, formats::TcpState::close, 111);
  const Streamed r(s.with_end());
  EXPECT_EQ(r.streams.connection(1)->error, 111);
  EXPECT_EQ(r.streams.connection(1)->connect_started, kStart + 1ms);
  EXPECT_EQ(r.text(Direction::in) + r.text(Direction::out), "");
}

// After an attempt that was refused, and again after a disconnect: each attempt is a connection with its own addresses
// and positions.
TEST(Streams, ASocketThatConnectsAgain) {
  using formats::TcpState;
  formats::SocketInfo info;
  info.socket = 5;
  info.family = formats::Family::inet;
  info.type = formats::SocketType::stream;
  info.origin = formats::Origin::connected;
  std::vector<formats::Event> events;
  const auto add = [&](int ms, formats::Body body) {
    formats::Event e;
    e.time = kStart + std::chrono::milliseconds(ms);
    e.body = std::move(body);
    events.push_back(std::move(e));
  };
  const auto state = [&](int ms, TcpState from, TcpState to, int error = 0) {
    formats::StateChange change;
    change.socket = 5;
    change.from = from;
    change.to = to;
    change.error = error;
    add(ms, change);
  };
  const auto established = [&](int ms, std::uint16_t port, std::uint32_t next) {
    state(ms, TcpState::close, TcpState::syn_sent);
    state(ms + 1, TcpState::syn_sent, TcpState::established);
    info.remote.port = port;
    info.state = TcpState::established;
    info.next_out = next;
    add(ms + 1, info);
    formats::Io io;
    io.socket = 5;
    io.direction = Direction::out;
    io.position = next;
    io.length = 3;
    io.payload = formats::Payload::captured;
    io.head = "abc";
    add(ms + 2, io);
  };
  state(1, TcpState::close, TcpState::syn_sent);
  info.state = TcpState::syn_sent;
  info.remote.port = 1;
  add(1, info);
  state(2, TcpState::syn_sent, TcpState::close, ECONNREFUSED);
  established(3, 2, 1000);
  state(6, TcpState::established, TcpState::close);
  established(7, 3, 4'000'000'000);
  const Streamed r(events);
  EXPECT_EQ(r.text(Direction::out), "abcabc");
  EXPECT_EQ(r.streams.connections(), 3u);
  EXPECT_EQ(r.streams.connection(3)->remote.port, 3);
  EXPECT_EQ(r.streams.connection(3)->lost_out, 0u);
  EXPECT_EQ(r.streams.connection(3)->error, 0);
}

TEST(Streams, CraftedPayloadIsCutToWhatWasMoved) {
  formats::Io io;
  io.socket = 1;
  io.length = 4;
  io.head = "abcdefgh";
  io.tail = "ijkl";
  io.payload = formats::Payload::captured;
  const Streamed r({{kStart, {1, 1}, io}});
  ASSERT_EQ(r.all.size(), 1u);
  EXPECT_EQ(r.all[0].bytes, "abcd");
}

// The end is due at 101 ms, the held piece only at 190 ms: nothing can be done in between, and the loop must end.
TEST(Streams, AnEndThatIsDueWaitsForWhatIsHeld) {
  using formats::Event;
  const auto at = [](int ms) { return kStart + std::chrono::milliseconds{ms}; };
  const formats::Thread thread{7, 7};
  formats::SocketInfo info;
  info.socket = 5;
  info.family = formats::Family::inet;
  info.type = formats::SocketType::stream;
  info.origin = formats::Origin::accepted;
  info.state = formats::TcpState::established;
  info.next_in = 1000;
  info.next_out = 2000;
  const auto receive = [&](int ms, std::uint64_t position, std::string_view bytes, int error = 0) {
    formats::Io io;
    io.socket = 5;
    io.direction = Direction::in;
    io.payload = formats::Payload::captured;
    io.error = error;
    io.position = position;
    io.length = static_cast<std::uint32_t>(bytes.size());
    io.head = bytes;
    return Event{at(ms), thread, io};
  };
  formats::SocketInfo another = info;
  another.socket = 6;
  const std::vector<Event> events = {Event{at(0), {}, info}, receive(1, 1000, "", ECONNRESET),
                                     receive(90, 1010, "late"), Event{at(150), {}, another},
                                     Event{at(400), {}, another}};
  Streamed seen(events);
  EXPECT_EQ(seen.text(Direction::in), "__________late");
  EXPECT_EQ(seen.end(Direction::in), End::reset);
}

}  // namespace
}  // namespace tailcap
