// Which listeners were full and dropped attempts, from what connections say of them.
#include "analyze/tail/listen_queues.h"

#include <gtest/gtest.h>

#include "formats/event.h"
#include "tests/synth/endpoint.h"

namespace tailcap {
namespace {

using namespace std::chrono_literals;
using tail::ListenQueues;

constexpr std::uint64_t kListener = 7;

struct Seen {
  ListenQueues queues;
  std::uint64_t sockets = 100;

  // A connection is established: `queue` connections wait, and `drops` attempts were dropped since it listens.
  std::uint64_t established(formats::Duration at, std::uint32_t queue, std::uint32_t drops, std::uint32_t limit = 2) {
    formats::SocketInfo info;
    info.socket = ++sockets;
    info.family = formats::Family::inet;
    info.origin = formats::Origin::accepted;
    info.local = synth::address("10.0.0.1:80", info.family);
    info.listener = kListener;
    info.queue = queue;
    info.queue_limit = limit;
    info.drops = drops;
    queues.push({formats::Time(at), {}, info});
    return info.socket;
  }
  void keyframe(formats::Duration at, std::uint32_t queue, std::uint32_t drops) {
    formats::SocketInfo info;
    info.socket = info.listener = kListener;
    info.family = formats::Family::inet;
    info.origin = formats::Origin::listener;
    info.local = synth::address("0.0.0.0:80", info.family);
    info.queue = queue;
    info.queue_limit = 2;
    info.drops = drops;
    queues.push({formats::Time(at), {40, 40}, info});
  }
  void carries(model::ConnectionId id, std::uint64_t socket) {
    model::Connection c;
    c.id = id;
    c.socket = socket;
    c.origin = formats::Origin::accepted;
    queues.carries(c);
  }
  model::Study study() const {
    model::Study out;
    out.quality.processes.push_back({40, "back", "", 3, true, ""});
    queues.fill(out);
    return out;
  }
};

TEST(ListenQueues, OneThatWasFull) {
  Seen seen;
  seen.keyframe(1ms, 0, 30);
  seen.carries(1, seen.established(2ms, 1, 30));
  seen.carries(2, seen.established(3ms, 3, 30));
  seen.carries(3, seen.established(9ms, 2, 34));
  seen.keyframe(20ms, 0, 35);
  const model::Study study = seen.study();
  ASSERT_EQ(study.queues.size(), 1u);
  const model::ListenQueue& q = study.queues[0];
  EXPECT_EQ(q.address, "10.0.0.1:80");
  EXPECT_EQ(q.pid, 40u);
  EXPECT_EQ(q.comm, "back");
  EXPECT_EQ(q.limit, 2u);
  EXPECT_EQ(q.longest, 3u);
  EXPECT_EQ(q.established, 3u);
  EXPECT_EQ(q.dropped, 5u);  // not the 30 from before
  EXPECT_EQ(q.from, formats::Time(3ms));
  EXPECT_EQ(q.to, formats::Time(20ms));
  EXPECT_EQ(study.queue_of.size(), 3u);
  EXPECT_EQ(study.queue_of.at(3), 0u);
}

// The kernel counts other attempts as well: of a queue that had room it is not known what dropped them. And a queue
// that was full for a moment did no harm.
TEST(ListenQueues, NoClaimWithoutBoth) {
  Seen room, full;
  room.established(2ms, 1, 0);
  room.established(3ms, 2, 4);
  EXPECT_TRUE(room.study().queues.empty());
  full.established(2ms, 1, 4);
  full.established(3ms, 3, 4);
  EXPECT_TRUE(full.study().queues.empty());
}

// Events of two CPUs come out of order: nothing is counted twice.
TEST(ListenQueues, OutOfOrder) {
  Seen seen;
  seen.established(1ms, 3, 10);
  seen.established(3ms, 3, 12);
  seen.established(2ms, 3, 11);
  seen.established(4ms, 3, 12);
  ASSERT_EQ(seen.study().queues.size(), 1u);
  EXPECT_EQ(seen.study().queues[0].dropped, 2u);
}

// A count that began before the first look is not known; it wraps as the kernel's does.
TEST(ListenQueues, TheCountWraps) {
  Seen seen;
  seen.established(1ms, 3, 0xfffffffeu);
  seen.established(2ms, 3, 3);
  ASSERT_EQ(seen.study().queues.size(), 1u);
  EXPECT_EQ(seen.study().queues[0].dropped, 5u);
}

}  // namespace
}  // namespace tailcap
