#include "analyze/model/machine/processes.h"

#include <gtest/gtest.h>

#include <string>

#include "formats/event.h"
#include "formats/thread_event.h"

namespace tailcap::model {
namespace {

using formats::Event;
using formats::TaskExec;
using formats::TaskInfo;
using formats::TaskStart;
using formats::Time;

constexpr std::uint32_t kPid = 20, kMaster = 10;

Time at(int ms) { return formats::time_from(std::int64_t{ms} * 1'000'000 + 1'000'000'000'000); }

// As the recorder makes them (capture/record/session.cc, bpf/sched/task.bpf.c).
Event described(int ms, std::uint32_t pid, std::string_view comm, std::string_view executable, std::string_view service,
                Time started = at(-5000)) {
  TaskInfo info{1, comm, {}, executable, "/", started};
  info.service = service;
  return {at(ms), {pid, pid}, info};
}
Event listed(int ms, std::uint32_t pid, std::string_view comm, Time started) {
  return described(ms, pid, comm, {}, {}, started);
}
Event renamed(int ms, std::uint32_t pid, std::string_view comm) {
  return {at(ms), {pid, pid}, TaskInfo{1, comm, {}, {}, {}}};
}
Event forked(int ms, std::uint32_t pid, std::uint32_t parent, std::string_view comm) {
  return {at(ms), {pid, pid}, TaskStart{{parent, parent}, comm}};
}

std::string name(const Processes& processes, std::uint32_t pid, int ms) {
  const auto* life = processes.at(pid, at(ms));
  return life ? std::string(Processes::name_in(*life, at(ms))) : std::string();
}

TEST(Processes, AnInterpreterHasTheNameOfWhatItRuns) {
  Processes p;
  p.push(described(0, kPid, "python3", "/usr/bin/python3.11", "app.py"));
  EXPECT_EQ(p.name(kPid), "app.py");
  EXPECT_FALSE(p.changed());
}

TEST(Processes, OldCapturesHaveTheKernelsName) {
  Processes p;
  p.push(described(0, kPid, "python3", "/usr/bin/python3.11", ""));
  EXPECT_EQ(p.name(kPid), "python3");
}

TEST(Processes, WhatIsDescribedLateHoldsFromTheProgramsBeginning) {
  Processes p;
  p.push(forked(0, kPid, kMaster, "sh"));
  p.push({at(1), {kPid, kPid}, TaskExec{"python3", "/usr/bin/python3.11"}});
  p.push(listed(2, kPid, "python3", at(0)));
  p.push(described(100, kPid, "python3", "/usr/bin/python3.11", "app.py", at(0)));
  EXPECT_EQ(name(p, kPid, 50), "app.py");
  EXPECT_EQ(name(p, kPid, 0), "sh");
  EXPECT_TRUE(p.changed(kPid));
}

TEST(Processes, AForkedProcessRunsWhatItsParentRuns) {
  Processes p;
  p.push(described(0, kMaster, "python3", "/usr/bin/python3.11", "gunicorn app:app"));
  p.push(forked(10, kPid, kMaster, "python3"));
  EXPECT_EQ(p.name(kPid), "gunicorn app:app");
  p.push(listed(11, kPid, "python3", at(10)));
  EXPECT_EQ(p.name(kPid), "gunicorn app:app");
}

TEST(Processes, ANameFollowsTheProcess) {
  Processes p;
  p.push(described(0, kPid, "server", "/srv/server", ""));
  p.push(renamed(100, kPid, "shop"));
  p.push(described(150, kPid, "shop", "/srv/server", ""));
  EXPECT_EQ(name(p, kPid, 99), "server");
  EXPECT_EQ(name(p, kPid, 100), "shop");
  EXPECT_EQ(p.life_at(kPid, at(200)), 0u);
}

TEST(Processes, ARuntimesNameIsNotTheServices) {
  Processes p;
  p.push(renamed(0, kPid, "node-MainThread"));
  p.push(described(50, kPid, "node-MainThread", "/usr/bin/node", "server.js"));
  EXPECT_EQ(name(p, kPid, 10), "server.js");
}

TEST(Processes, ANumberThatIsGivenAgainIsAnotherProcess) {
  Processes p;
  p.push(described(0, kPid, "first", "/srv/first", ""));
  p.push({at(90), {kPid, kPid}, formats::TaskExit{0}});
  p.push(forked(100, kPid, kMaster, "sh"));
  p.push({at(101), {kPid, kPid}, TaskExec{"second", "/srv/second"}});
  EXPECT_EQ(p.life_at(kPid, at(50)), 0u);
  EXPECT_EQ(p.life_at(kPid, at(150)), 1u);
  EXPECT_EQ(name(p, kPid, 50), "first");
  EXPECT_EQ(name(p, kPid, 150), "second");
  EXPECT_EQ(p.at(kPid, at(50))->executable, "/srv/first");
}

TEST(Processes, AnotherProcessIsKnownByItsStartAlone) {
  Processes p;
  p.push(described(0, kPid, "first", "/srv/first", ""));
  p.push(described(5000, kPid, "second", "/srv/second", "", at(3000)));
  EXPECT_EQ(name(p, kPid, 1000), "first");
  EXPECT_EQ(name(p, kPid, 4000), "second");
  EXPECT_EQ(p.life_at(kPid, at(4000)), 1u);
  // The machine slept, so the same start lies earlier on the clock.
  p.push(described(15000, kPid, "second", "/srv/second", "", at(-90000)));
  EXPECT_EQ(p.life_at(kPid, at(16000)), 1u);
}

TEST(Processes, AreBounded) {
  Processes p;
  p.push(described(0, kPid, "server", "/srv/server", ""));
  for (int i = 0; i < 1000; ++i) p.push(renamed(i + 1, kPid, "n" + std::to_string(i)));
  EXPECT_LE(p.at(kPid, at(2000))->names.size(), Processes::kMaxNames);
  for (int i = 0; i < 1000; ++i) p.push(forked(2000 + i, kPid, kMaster, "x"));
  EXPECT_LT(p.life_at(kPid, at(9000)), Processes::kMaxLives);
}

}  // namespace
}  // namespace tailcap::model
