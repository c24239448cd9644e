#include "analyze/causes/peers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "formats/event.h"

namespace tailcap::causes::peers_test {
namespace {

using namespace model;

struct Ends {
  Connection client, server;
  Ends() {
    server.family = client.family = formats::Family::inet;
    server.local.bytes = client.remote.bytes = {127, 0, 0, 1};
    server.remote.bytes = client.local.bytes = {127, 0, 0, 1};
    server.local.port = client.remote.port = 80;
    server.remote.port = client.local.port = 40'000;
  }
};

Exchange exchange(Role role, ExchangeId id, std::uint64_t begin) {
  Exchange e;
  e.id = id;
  e.role = role;
  e.request_begin = begin;
  e.request.first_done = formats::time_from(1);
  return e;
}

TEST(Peers, TheSecondEndLearnsOfTheFirst) {
  const Ends ends;
  Peers peers;
  EXPECT_EQ(peers.push(exchange(Role::client, {1, 1}, 0), ends.client), std::nullopt);
  EXPECT_EQ(peers.push(exchange(Role::client, {1, 2}, 100), ends.client), std::nullopt);
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 1}, 0), ends.server), (ExchangeId{1, 1}));
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 2}, 100), ends.server), (ExchangeId{1, 2}));
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 3}, 200), ends.server), std::nullopt);
}

TEST(Peers, NamespacesMatterOnLoopbackOnly) {
  Ends ends;
  ends.client.net_namespace = 1;
  ends.server.net_namespace = 2;
  Peers peers;
  peers.push(exchange(Role::client, {1, 1}, 0), ends.client);
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 1}, 0), ends.server), std::nullopt)
      << "each namespace has its own 127.0.0.1";
  ends.client.local.bytes = ends.server.remote.bytes = {10, 0, 0, 1};
  ends.client.remote.bytes = ends.server.local.bytes = {10, 0, 0, 2};
  peers.push(exchange(Role::client, {3, 1}, 0), ends.client);
  EXPECT_EQ(peers.push(exchange(Role::server, {4, 1}, 0), ends.server), (ExchangeId{3, 1}));
}

struct UnixEnds {
  Connection client, server;
  UnixEnds() {
    server.family = client.family = formats::Family::unix_domain;
    // As the kernel programs describe them: the client sent before accept() gave its peer an inode.
    client.inode = server.peer_inode = 100;
    server.inode = 200;
  }
};

Exchange timed(Role role, ExchangeId id, std::uint64_t begin, std::int64_t asked, std::int64_t answered) {
  Exchange e = exchange(role, id, begin);
  e.request.first_done = formats::time_from(asked);
  e.response.first_done = formats::time_from(answered);
  return e;
}

TEST(Peers, UnixSocketsByTheClientsInode) {
  UnixEnds ends;
  Peers peers;
  peers.push(timed(Role::client, {1, 1}, 0, 10, 20), ends.client);
  peers.push(timed(Role::client, {1, 2}, 100, 30, 40), ends.client);
  EXPECT_EQ(peers.push(timed(Role::server, {2, 1}, 0, 11, 19), ends.server), (ExchangeId{1, 1}));
  EXPECT_EQ(peers.push(timed(Role::server, {2, 2}, 100, 31, 39), ends.server), (ExchangeId{1, 2}));
}

// The first that agree wait for the next ones.
TEST(Peers, UnixSocketsThatAreOlderThanTheRecordingDecideTogether) {
  UnixEnds ends;
  ends.server.origin = ends.client.origin = formats::Origin::existed;
  Peers peers;
  std::vector<Peers::Pair> joined;
  for (std::uint32_t k = 1; k <= 4; ++k) {
    const int began = 100 * static_cast<int>(k);
    peers.push(timed(Role::client, {1, k}, 10 * k, began, began + 20), ends.client);
    if (const auto peer = peers.push(timed(Role::server, {2, k}, 10 * k, began + 1, began + 19), ends.server))
      joined.emplace_back(*peer, ExchangeId{2, k});
  }
  EXPECT_EQ(joined.size(), 2u);
  for (const auto& pair : peers.late()) joined.push_back(pair);
  EXPECT_EQ(joined.size(), 4u);
  // Two that agree may do so by chance.
  Peers few;
  for (std::uint32_t k = 1; k <= 2; ++k) {
    few.push(timed(Role::client, {1, k}, 10 * k, 10, 20), ends.client);
    EXPECT_EQ(few.push(timed(Role::server, {2, k}, 10 * k, 11, 19), ends.server), std::nullopt);
  }
  EXPECT_TRUE(few.late().empty());
}

// A packet filter rewrites the destination: the client knows another address and port than the server has.
TEST(Peers, RewrittenAddressesByTheInitialSequenceNumbers) {
  Ends ends;
  ends.client.remote.bytes = {10, 96, 0, 10};
  ends.client.remote.port = 8080;
  ends.client.net_namespace = 1;
  ends.client.origin = formats::Origin::connected;
  ends.server.origin = formats::Origin::accepted;
  ends.client.base[0] = ends.server.base[1] = 0xfffffff0;
  ends.client.base[1] = ends.server.base[0] = 77;
  Peers peers;
  peers.push(exchange(Role::client, {1, 1}, 0), ends.client);
  peers.push(exchange(Role::client, {1, 2}, 100), ends.client);
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 1}, 0), ends.server), (ExchangeId{1, 1}));
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 2}, 100), ends.server), (ExchangeId{1, 2}));
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 3}, 100), ends.server), std::nullopt) << "it has its client";
  // A proxy's connection to the same server has other numbers.
  peers.push(exchange(Role::client, {3, 1}, 200), ends.client);
  ends.server.base[1] = 5;
  EXPECT_EQ(peers.push(exchange(Role::server, {4, 1}, 200), ends.server), std::nullopt);
  // One that was older than the recording shows the numbers of the first bytes that were seen.
  ends.server.base[1] = 0xfffffff0;
  ends.server.origin = formats::Origin::existed;
  EXPECT_EQ(peers.push(exchange(Role::server, {5, 1}, 200), ends.server), std::nullopt);
}

// One end was in a process that is no target at first: its first request is another one's second.
TEST(Peers, UnixSocketsWhoseEndsWereSeenFromAnotherByteOn) {
  const UnixEnds ends;
  for (const Role late : {Role::client, Role::server}) {
    Peers peers;
    const Connection &other = late == Role::client ? ends.server : ends.client,
                     &own = late == Role::client ? ends.client : ends.server;
    const Role first = late == Role::client ? Role::server : Role::client;
    EXPECT_EQ(peers.push(timed(first, {1, 1}, 0, 10, 20), other), std::nullopt);
    EXPECT_EQ(peers.push(timed(late, {2, 1}, 0, 30, 40), own), std::nullopt);
    EXPECT_EQ(peers.push(timed(first, {1, 2}, 100, 30, 40), other), std::nullopt);
  }
}

// The client lost its CPU in the call that sends, and was answered before that call returned.
TEST(Peers, UnixSocketsWhoseClientIsLateDecideTogether) {
  const UnixEnds ends;
  for (const int late : {0, 5}) {
    Peers peers;
    std::vector<Peers::Pair> joined;
    for (std::uint32_t k = 1; k <= 8; ++k) {
      const int began = 100 * static_cast<int>(k), sent = static_cast<int>(k) == late + 1 ? 50 : 1;
      peers.push(timed(Role::server, {1, k}, 10 * k, began + 2, began + 20), ends.server);
      if (const auto peer = peers.push(timed(Role::client, {2, k}, 10 * k, began + sent, began + 60), ends.client))
        joined.emplace_back(*peer, ExchangeId{2, k});
    }
    EXPECT_GE(joined.size(), 6u);
    for (const auto& pair : peers.late()) joined.push_back(pair);
    std::sort(joined.begin(), joined.end());
    ASSERT_EQ(joined.size(), 8u);
    for (std::uint32_t k = 1; k <= 8; ++k) EXPECT_EQ(joined[k - 1], (Peers::Pair{{1, k}, {2, k}}));
    EXPECT_TRUE(peers.late().empty());
  }
}

// Each of the client's was seen as the server's one before; one of them overlaps by chance.
TEST(Peers, UnixSocketsSeenFromAnotherByteOnAreNotJoinedByChance) {
  const UnixEnds ends;
  Peers peers;
  for (std::uint32_t k = 1; k <= 8; ++k) {
    const int began = 100 * static_cast<int>(k), answered = k == 5 ? 150 : 20;
    peers.push(timed(Role::server, {1, k}, 10 * k, began + 2, began + answered), ends.server);
    EXPECT_EQ(peers.push(timed(Role::client, {2, k}, 10 * k, began + 101, began + 130), ends.client), std::nullopt);
  }
  EXPECT_TRUE(peers.late().empty());
}

TEST(Peers, TwoOfOneRoleAreJoinedWithNobody) {
  const Ends ends;
  Peers peers;
  peers.push(exchange(Role::server, {1, 1}, 0), ends.server);
  EXPECT_EQ(peers.push(exchange(Role::server, {2, 1}, 0), ends.server), std::nullopt);
  EXPECT_EQ(peers.push(exchange(Role::client, {3, 1}, 0), ends.client), std::nullopt);
  EXPECT_EQ(peers.findings()[Finding::peer_ambiguous], 2u);
}

// Against a plain map with the same limit, far beyond it: joins, and eviction of the oldest.
TEST(Peers, AgreesWithAPlainMap) {
  constexpr std::size_t kLimit = 1u << 17;
  struct Waiting {
    ExchangeId id;
    Role role;
    std::size_t arrival;
    bool ambiguous = false;
  };
  const Ends ends;
  Peers peers;
  std::map<std::uint64_t, Waiting> waiting;  // by position
  std::deque<std::pair<std::uint64_t, std::size_t>> order;
  std::mt19937_64 random(11);
  std::size_t arrivals = 0, joined = 0, gone = 0;
  for (std::uint32_t i = 1; i <= 400'000; ++i) {
    const Role role = random() % 3 == 0 ? Role::server : Role::client;
    const std::uint64_t begin = random() % 600'000;
    const auto result = peers.push(exchange(role, {i, 1}, begin), role == Role::server ? ends.server : ends.client);
    const auto it = waiting.find(begin);
    if (it != waiting.end()) {
      if (it->second.role == role || it->second.ambiguous) {
        it->second.ambiguous = true;
        ASSERT_EQ(result, std::nullopt);
      } else {
        ASSERT_EQ(result, it->second.id);
        waiting.erase(it);
        ++joined;
      }
      continue;
    }
    ASSERT_EQ(result, std::nullopt);
    waiting[begin] = {{i, 1}, role, arrivals};
    order.emplace_back(begin, arrivals++);
    while (waiting.size() > kLimit) {
      const auto oldest = waiting.find(order.front().first);
      if (oldest != waiting.end() && oldest->second.arrival == order.front().second) {
        waiting.erase(oldest);
        ++gone;
      }
      order.pop_front();
    }
  }
  EXPECT_GT(joined, 10'000u);
  EXPECT_GT(gone, 10'000u);
}

}  // namespace
}  // namespace tailcap::causes::peers_test
