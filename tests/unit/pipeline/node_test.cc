// Host problems: which processes count as short-lived, their parents, and limits.
#include "analyze/node/node.h"

#include <gtest/gtest.h>

#include "tests/synth/scenario.h"

namespace tailcap::node {
namespace {

using namespace formats;
using namespace std::chrono_literals;

struct NodeCase {
  Preamble preamble;
  std::vector<Event> events;
  NodeCase() {
    preamble.targets = {"all"};
    preamble.programs = {"task_start", "task_exec", "task_exit", "state_change", "retransmit"};
  }
  void add(Duration at, std::uint32_t pid, Body body) {
    events.push_back({synth::kStart + at, {pid, pid}, std::move(body)});
  }
  void process(Duration at, Duration life, std::uint32_t pid, std::uint32_t parent, std::string_view file,
               int code = 0) {
    add(at, pid, TaskStart{{parent, parent}, "sh"});
    if (!file.empty()) add(at + 1us, pid, TaskExec{"x", file});
    add(at + life, pid, TaskExit{code});
  }
  model::NodeStudy study() const {
    Node node(preamble);
    for (const Event& event : events) node.push(event);
    node.push({synth::kStart + 10s, {}, CaptureEnd{}});
    return node.study();
  }
};

TEST(Node, LivesOfLessThanASecond) {
  NodeCase c;
  c.add(0s, 5, TaskInfo{1, "cron", {}, {}, {}});
  c.process(1ms, 999ms, 100, 5, "/bin/a");
  c.process(1ms, 1000ms, 101, 5, "/bin/a");   // not less than a second
  c.process(2s, 1ms, 100, 5, "/bin/a", 256);  // the pid again
  c.process(3s, 1ms, 102, 6, "/bin/a");       // another parent, without a name
  c.process(3s, 1ms, 103, 5, "");
  c.add(4s, 104, TaskExit{0});              // start not seen
  c.add(5s, 105, TaskStart{{5, 5}, "sh"});  // end not seen
  const model::NodeStudy s = c.study();
  EXPECT_EQ(s.started, 6u);
  EXPECT_EQ(s.ended, 6u);
  EXPECT_EQ(s.short_count, 4u);
  ASSERT_EQ(s.short_lived.size(), 3u);
  const model::ShortLived& a = s.short_lived[0];
  EXPECT_EQ(a.command, "/bin/a");
  EXPECT_TRUE(a.executed);
  EXPECT_EQ(a.parent, 5u);
  EXPECT_EQ(a.parent_name, "cron");
  EXPECT_EQ(a.count, 2u);
  EXPECT_EQ(a.failed, 1u);
  EXPECT_EQ(a.least, 1ms);
  EXPECT_EQ(a.most, 999ms);
  EXPECT_EQ(a.sum, 1000ms);
  for (const model::ShortLived& p : s.short_lived) {
    EXPECT_EQ(p.executed, p.command == "/bin/a");
    EXPECT_EQ(p.parent_name, p.parent == 6 ? "" : "cron");
  }
}

TEST(Node, ThreadsAreNoProcesses) {
  NodeCase c;
  c.events.push_back({synth::kStart, {100, 101}, TaskStart{{100, 100}, "worker"}});
  c.events.push_back({synth::kStart + 1ms, {100, 101}, TaskExit{0}});
  EXPECT_EQ(c.study().started, 0u);
  EXPECT_EQ(c.study().short_count, 0u);
}

TEST(Node, ListsAreBoundedAndSumsAreNot) {
  NodeCase c;
  std::deque<std::string> names;
  for (std::uint32_t i = 0; i < 20'000; i++) {
    names.push_back("/bin/" + std::to_string(i));
    c.process(1us * i, 10us, 1000 + i, 5, names.back());
    Stall stall;
    stall.what = StallKind::reclaim;
    stall.began = synth::kStart + 1us * i;
    c.add(1us * i + 20us, 1000 + i, stall);
  }
  const model::NodeStudy s = c.study();
  EXPECT_EQ(s.short_count, 20'000u);
  EXPECT_EQ(s.short_lived.size(), model::NodeStudy::kMaxListed);
  EXPECT_EQ(s.short_lived[0].command, "others") << "beyond the groups that are kept";
  EXPECT_EQ(s.short_lived[0].count, 20'000u - ProcessTurnover::kMaxGroups);
  std::uint64_t listed = 0;
  for (const auto& p : s.short_lived) listed += p.count;
  EXPECT_EQ(listed + s.short_left_out, s.short_count);
  EXPECT_EQ(s.reclaim.count, 20'000u);
  EXPECT_EQ(s.reclaim.sum, 20us * 20'000);
  EXPECT_EQ(s.reclaim.processes.size(), model::NodeStudy::kMaxListed);
  EXPECT_EQ(s.reclaim.processes[0].pid, 0u) << "those beyond what is kept, together";
}

TEST(Node, WhatBelongsToAClosedSocketIsStillItsPeers) {
  NodeCase c;
  SocketInfo info;
  info.socket = 7;
  info.family = Family::inet;
  info.type = SocketType::stream;
  info.state = TcpState::syn_sent;
  info.remote.bytes = {10, 0, 0, 9};
  info.remote.port = 80;
  c.add(1ms, 0, info);
  c.add(1ms, 30, StateChange{7, TcpState::close, TcpState::syn_sent, true, 0});
  c.add(2ms, 0, StateChange{7, TcpState::syn_sent, TcpState::close, false, 111});
  c.add(2ms, 0, Reset{7, Direction::in});
  c.add(3ms, 0, Retransmit{8, 0, 100});
  const model::NodeStudy s = c.study();
  ASSERT_EQ(s.connect_failures.size(), 1u);
  EXPECT_EQ(s.connect_failures[0].address, "10.0.0.9:80");
  EXPECT_EQ(s.connect_failures[0].cause, "refused");
  EXPECT_EQ(s.connect_failures[0].pid, 30u);
  ASSERT_EQ(s.resets_received.size(), 1u);
  EXPECT_EQ(s.resets_received[0].address, "10.0.0.9:80");
  ASSERT_EQ(s.retransmits.size(), 1u);
  EXPECT_EQ(s.retransmits[0].address, "unknown");
  EXPECT_EQ(s.retransmits[0].bytes, 100u);
}

TEST(Node, WhatWasRecorded) {
  NodeCase c;
  EXPECT_TRUE(c.study().has_processes);
  EXPECT_TRUE(c.study().everybody);
  EXPECT_FALSE(c.study().has_disks);
  EXPECT_FALSE(c.study().has_resets);
  EXPECT_FALSE(c.study().damaged);
  Stall stall;
  stall.what = StallKind::block_io;
  stall.began = synth::kStart;
  c.add(1ms, 10, stall);
  EXPECT_EQ(c.study().slow_io_count, 0u) << "a thread's own wait, where disks were not recorded";
  c.preamble.programs = {"node_io_ends", "task_start"};
  EXPECT_EQ(c.study().slow_io_count, 1u);
  EXPECT_FALSE(c.study().has_processes) << "nobody told of their ends";
  c.add(2ms, 0, Loss{synth::kStart, LossCause::ring_full, 9, 3});
  EXPECT_EQ(c.study().lost, 3u);
  EXPECT_TRUE(c.study().damaged);
}

}  // namespace
}  // namespace tailcap::node
