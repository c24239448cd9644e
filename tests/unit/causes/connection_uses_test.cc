#include "analyze/causes/connection_uses.h"

#include <gtest/gtest.h>

namespace tailcap::causes {
namespace {

using namespace std::chrono_literals;
using formats::Duration;
using model::Outcome;

constexpr model::Time kOpened = formats::time_from(1'000'000'000);

struct Uses {
  UseFinder finder;
  model::RequestTable table;
  model::Connection connection;

  Uses() {
    connection.id = 1;
    connection.established = kOpened;
  }
  // A request of `lasts`, answered unless it failed.
  void add(std::uint32_t index, Duration at, Duration lasts, Outcome outcome = Outcome::ok, std::uint32_t stream = 0,
           model::Role role = model::Role::client) {
    model::Exchange e;
    e.id = {1, index};
    e.role = role;
    e.stream = stream;
    e.outcome = outcome;
    if (outcome == Outcome::ok) e.response.last_done = kOpened + at + lasts;
    model::Request r;
    r.id = e.id;
    r.role = role;
    r.outcome = outcome;
    r.start = kOpened + at;
    r.has_duration = outcome == Outcome::ok;
    r.duration = lasts;
    finder.push(e, r, connection);
  }
  void goaway(Duration at, std::uint32_t code) {
    model::Message closed;
    closed.connection = 1;
    closed.kind = model::MessageKind::closed;
    closed.reset.emplace();
    closed.reset->goaway = true;
    closed.reset->code = code;
    closed.reset->at = kOpened + at;
    finder.push(closed);
  }
  model::ConnectionUse of(std::uint32_t index) {
    finder.settle(table);
    return table.uses.find({1, index});
  }
};

TEST(ConnectionUses, ThePeerHadClosedIt) {
  Uses c;
  c.add(1, 10ms, 5ms);
  c.connection.peer_closed = kOpened + 65ms;
  c.add(2, 165ms, 0ms, Outcome::reset);
  const model::ConnectionUse use = c.of(2);
  EXPECT_EQ(use.age, 165'000'000);
  EXPECT_EQ(use.idle, 150'000'000);
  EXPECT_EQ(use.closed, 100'000'000);
}

TEST(ConnectionUses, ItClosedItAfterwards) {
  Uses c;
  c.add(1, 10ms, 5ms);
  c.connection.peer_closed = kOpened + 166ms;
  c.add(2, 165ms, 0ms, Outcome::reset);
  EXPECT_EQ(c.of(2).closed, -1);
}

TEST(ConnectionUses, OfStreamsNoIdleTimeIsTold) {
  Uses c;
  c.add(1, 10ms, 5ms, Outcome::ok, 1);
  c.add(2, 165ms, 0ms, Outcome::reset, 3);
  EXPECT_EQ(c.of(2).idle, -1);
}

TEST(ConnectionUses, GoawayConcernsWhatItEnded) {
  Uses c;
  c.add(1, 10ms, 5ms, Outcome::ok, 1);
  c.add(2, 20ms, 5ms, Outcome::server_error, 3);
  c.add(3, 900ms, 0ms, Outcome::reset, 5);
  c.goaway(1000ms, 11);
  c.finder.settle(c.table);
  EXPECT_FALSE(c.table.uses.find({1, 1}).goaway);
  EXPECT_EQ(c.table.uses.find({1, 3}).goaway, 11u);
}

TEST(ConnectionUses, AGoawayWithoutAnErrorIsNone) {
  Uses c;
  c.add(1, 10ms, 0ms, Outcome::reset, 1);
  c.goaway(20ms, 0);
  EXPECT_FALSE(c.of(1).goaway);
}

}  // namespace
}  // namespace tailcap::causes
