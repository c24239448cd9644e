// Waits for services that speak no protocol that is read: their label, and who is at the other end of the socket.
#include "tests/unit/partition/partition_case.h"

namespace tailcap {
namespace {

using formats::Origin;
using formats::TcpState;
using model::Label;

constexpr Thread kServes{10, 11}, kServesToo{10, 12}, kStore{20, 20};
constexpr std::int16_t kConnect = 42, kSigtimedwait = 128;

struct PeerCase : PartitionCase {
  Endpoint& in = accepted(kServes);
  PeerCase() { off(kServes, 5ms, 10ms, 10ms, kRecvfrom).socket = in.socket(); }
  Opening at_store(Origin origin) {
    Opening o;
    o.thread = kServes;
    o.origin = origin;
    o.local = "10.0.0.1:50000";
    o.remote = "10.0.0.3:5432";
    return o;
  }
  // The request at 10 ms asks the store, which answers at 31 ms.
  void ask(Endpoint& store) {
    in.receive(10ms, 10ms, get("/a"));
    store.send(11ms, "key\n");
    off(kServes, 11ms, 31ms, 31ms, kRecvfrom).socket = store.socket();
    store.receive(31ms, 31ms, "value\n");
    in.send(32ms, kOk);
  }
  // "10.0.0.3:5432 postgres"
  std::string peer(Label label) {
    const model::Culprit c = culprit("/a", label);
    const model::SocketPeer* p = model::peer_of(c, analysis().table.partitions.peers());
    return p ? p->address + (p->process.empty() ? "" : " " + p->process) : "none";
  }
};

TEST(PartitionOfPeers, AConnectionOfItsOwn) {
  PeerCase c;
  c.ask(c.s.open(0ms, c.at_store(Origin::connected)));
  EXPECT_EQ(c.labels("/a"), "down.wait 20000 cpu 2000");
  EXPECT_EQ(c.peer(Label::down_wait), "10.0.0.3:5432");
}

TEST(PartitionOfPeers, TheProcessThere) {
  PeerCase c;
  const auto [near, far] = c.s.loopback(0ms, c.at_store(Origin::connected), kStore);
  c.s.task(0ms, kStore, "postgres");
  far.receive(12ms, 12ms, "key\n");
  c.ask(near);
  EXPECT_EQ(c.peer(Label::down_wait), "10.0.0.3:5432 postgres");
}

TEST(PartitionOfPeers, AnOlderConnectionByItsPorts) {
  PeerCase c;
  c.ask(c.s.open(0ms, c.at_store(Origin::existed)));
  EXPECT_EQ(c.labels("/a"), "down.wait~ 20000 cpu 2000");
  EXPECT_EQ(c.peer(Label::down_wait), "10.0.0.3:5432");
}

TEST(PartitionOfPeers, WhoAskedWhomIsNotKnown) {
  PeerCase c;
  Opening o = c.at_store(Origin::existed);
  o.remote = "10.0.0.3:50001";
  c.ask(c.s.open(0ms, o));
  EXPECT_EQ(c.labels("/a"), "net.unknown_socket 20000 cpu 2000");
  EXPECT_EQ(c.peer(Label::net_unknown_socket), "10.0.0.3:50001");
}

TEST(PartitionOfPeers, AnAcceptedConnection) {
  PeerCase c;
  c.ask(c.s.open(0ms, c.at_store(Origin::accepted)));
  EXPECT_EQ(c.labels("/a"), "net.unknown_socket 20000 cpu 2000");
}

// It polls the socket while it connects, and gives up.
TEST(PartitionOfPeers, AConnectThatNeverSucceeds) {
  PeerCase c;
  c.in.receive(10ms, 10ms, get("/a"));
  constexpr formats::SocketId kSocket = 900;
  c.s.add(11ms, kServes, formats::StateChange{kSocket, TcpState::close, TcpState::syn_sent, true, 0});
  formats::SocketInfo info{.socket = kSocket,
                           .family = formats::Family::inet,
                           .type = formats::SocketType::stream,
                           .origin = Origin::connected,
                           .state = TcpState::syn_sent};
  info.remote = synth::address("10.0.0.3:5432", formats::Family::inet);
  c.s.add(11ms, {}, info);
  c.off(kServes, 11ms, 31ms, 31ms, 7).socket = kSocket;
  c.offs.back().off.argument1 = 1;
  c.s.add(31500us, kServes, formats::StateChange{kSocket, TcpState::syn_sent, TcpState::close, true, 0});
  c.in.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a"), "down.connect 20000 cpu 2000");
  // It is a call of its own.
  EXPECT_EQ(c.path_of(c.culprit("/a", Label::down_connect).request), "10.0.0.3:5432");
}

TEST(PartitionOfPeers, AConnectInTheCall) {
  PeerCase c;
  c.in.receive(10ms, 10ms, get("/a"));
  Endpoint& store = c.s.open(11ms, c.at_store(Origin::connected));
  c.off(kServes, 11ms, 31ms, 31ms, kConnect).socket = store.socket();
  c.in.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a"), "down.connect 20000 cpu 2000");
  EXPECT_EQ(c.peer(Label::down_connect), "10.0.0.3:5432");
}

// The loop writes to the store in the request's turn, and goes on with it when it reads the answer.
TEST(PartitionOfPeers, OnAnEventLoop) {
  PartitionCase c;
  Endpoint& a = c.accepted(kServes);
  Opening o;
  o.thread = kServes;
  o.origin = Origin::connected;
  o.local = "10.0.0.1:50000";
  o.remote = "10.0.0.3:5432";
  Endpoint& store = c.s.open(0ms, o);
  c.off(kServes, 5ms, 10ms, 10ms, kEpollWait);
  a.receive(10ms, 10020us, get("/a"));
  store.send(10100us, "key\n");
  c.off(kServes, 10200us, 30200us, 30250us, kEpollWait);
  store.receive(30200us, 30300us, "value\n");
  a.send(30400us, kOk);
  EXPECT_EQ(c.labels("/a"), "down.wait~ 20000 sched.runq 50 cpu 350");
  const model::SocketPeer* peer =
      model::peer_of(c.culprit("/a", Label::down_wait), c.analysis().table.partitions.peers());
  ASSERT_NE(peer, nullptr);
  EXPECT_EQ(peer->address, "10.0.0.3:5432");
}

// The store has one worker, which takes the connection of /b when it is done with /a.
struct WorkerCase : PeerCase {
  Endpoint& other = accepted(kServesToo);
  Endpoint *asks_a = nullptr, *asks_b = nullptr, *takes_a = nullptr, *takes_b = nullptr;

  WorkerCase() {
    off(kServesToo, 5ms, 12ms, 12ms, kRecvfrom).socket = other.socket();
    Opening a = at_store(Origin::connected), b = a;
    b.local = "10.0.0.1:50001";
    const auto first = s.loopback(10500us, a, kStore), second = s.loopback(12500us, b, kStore);
    asks_a = &first.first, takes_a = &first.second;
    asks_b = &second.first, takes_b = &second.second;
  }
  void run() {
    in.receive(10ms, 10ms, get("/a"));
    asks_a->send(11ms, "key\n");
    off(kServes, 11ms, 31ms, 31ms, kRecvfrom).socket = asks_a->socket();
    takes_a->receive(11100us, 11100us, "key\n");
    other.receive(12ms, 12ms, get("/b"));
    asks_b->send(13ms, "key\n");
    off(kServesToo, 13ms, 41ms, 41ms, kRecvfrom).socket = asks_b->socket();
    off(kStore, 11200us, 30ms, 30ms, kSleep);
    takes_a->send(30500us, "value\n");
    takes_b->receive(13100us, 30600us, "key\n");
    asks_a->receive(31ms, 31ms, "value\n");
    in.send(32ms, kOk);
    off(kStore, 30700us, 40ms, 40ms, kSleep);
    takes_b->send(40500us, "value\n");
    asks_b->receive(41ms, 41ms, "value\n");
    other.send(42ms, kOk);
  }
};

TEST(PartitionOfPeers, AWorkerThatAnotherRequestHas) {
  WorkerCase c;
  c.run();
  EXPECT_EQ(c.labels("/a"), "down.wait 20000 cpu 2000");
  EXPECT_EQ(c.labels("/b"), "q.pool~ 17600 down.wait 10400 cpu 2000");
  const model::Culprit behind = c.culprit("/b", Label::q_pool);
  EXPECT_EQ(c.path_of(behind.request), "/a");
  EXPECT_EQ(behind.tid, kStore.tid);
  EXPECT_EQ(c.culprit("/a", Label::down_wait).tid, kStore.tid) << "who answers";
}

// The process lets the thread that took /a wait for it no longer: a thread that polls takes what comes.
TEST(PartitionOfPeers, AnEventLoopAtTheOtherEndIsNoWorker) {
  WorkerCase c;
  c.off(kStore, 1ms, 2ms, 2ms, kEpollWait);
  c.off(kStore, 10600us, 11ms, 11ms, kEpollWait);
  c.run();
  c.off(kStore, 43ms, 44ms, 44ms, kEpollWait);
  EXPECT_EQ(c.labels("/b"), "down.wait 28000 cpu 2000");
}

// A timer ended the wait: it was for nothing that came.
TEST(PartitionOfPeers, SleepsByOtherCalls) {
  PeerCase c;
  c.in.receive(10ms, 10ms, get("/a"));
  c.off(kServes, 11ms, 21ms, 21ms, kSigtimedwait).woken_in = formats::WokenIn::interrupt;
  formats::OffCpu& pipe = c.off(kServes, 22ms, 27ms, 27ms, kRead);
  pipe.file = formats::FileKind::pipe;
  pipe.woken_in = formats::WokenIn::interrupt;
  c.in.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a"), "timer.sleep 10000 timer.sleep~ 5000 cpu 7000");
}

TEST(PartitionOfPeers, WhatAnotherThreadEndedIsNoSleep) {
  PeerCase c;
  c.in.receive(10ms, 10ms, get("/a"));
  c.off(kServes, 11ms, 21ms, 21ms, kSigtimedwait, 0, 12).woken_in = formats::WokenIn::thread;
  c.in.send(32ms, kOk);
  EXPECT_EQ(c.labels("/a").find("timer.sleep"), std::string::npos);
}

}  // namespace
}  // namespace tailcap
