// What caused a shortage of CPU: from the account of the machine's CPUs.
#include "analyze/tail/verdict/takers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "formats/event.h"
#include "tests/unit/tail/tail_case.h"

namespace tailcap::tests::takers_test {
namespace {

using formats::CpuUser;
using model::Origin;
using model::Study;
using model::Verdict;
using model::VerdictLevel;
using model::VerdictScope;
using tail::verdict::may_be_stolen;
using tail::verdict::origin_of_shortage;

constexpr std::int64_t kStart = 1'000'000'000;  // of TailCase
constexpr std::int64_t kMs = 1'000'000, kTenth = 100 * kMs;
constexpr std::uint32_t kRecorder = 500, kService = 10;

model::CpuAccount::Use use(double own, double others, double recorder, double steal) {
  model::CpuAccount::Use u;
  u.known = true;
  u.own = own;
  u.takers = {{"cc1plus", 3, others}};
  u.recorder = recorder;
  u.steal = steal;
  return u;
}

TEST(Takers, WhoHadMost) {
  EXPECT_EQ(origin_of_shortage(0.1, {}, 2), Origin::machine);
  EXPECT_EQ(origin_of_shortage(0.6, {}, 2), Origin::own_load);
  EXPECT_EQ(origin_of_shortage(0.1, use(0.2, 1.7, 0.1, 0), 2), Origin::machine);
  EXPECT_EQ(origin_of_shortage(0.8, use(1.6, 0.3, 0.1, 0), 2), Origin::own_load);
  // On CPUs that the hypervisor had taken away.
  EXPECT_EQ(origin_of_shortage(0.9, use(0.4, 0.1, 0, 1.4), 2), Origin::hypervisor);
  EXPECT_EQ(origin_of_shortage(0.1, use(0.2, 1.5, 0, 0.3), 2), Origin::machine);
  EXPECT_EQ(origin_of_shortage(0.1, use(0, 0, 0, 0.1), 2), Origin::machine) << "too little";
  EXPECT_EQ(origin_of_shortage(0.1, use(0.2, 0.3, 1.2, 0.1), 2), Origin::recorder);
  EXPECT_EQ(origin_of_shortage(0.1, use(0.2, 1.2, 0.5, 0.1), 2), Origin::machine);
}

struct Machine : TailCase {
  Machine() { study.quality.preamble.cpus = 2; }
  void cpu(std::int64_t tenth, CpuUser user, std::int64_t ms, std::uint32_t pid = 0, std::string_view comm = {}) {
    const formats::MachineCpu body{user, formats::time_from(kStart + tenth * kTenth), formats::Duration{ms * kMs}, pid,
                                   comm};
    formats::Event event;
    event.time = formats::time_from(kStart + (tenth + 1) * kTenth);
    event.thread = {kRecorder, kRecorder};
    event.body = body;
    table.cpus.push(event, body);
  }
};

TEST(Takers, MayBeStolen) {
  Machine none;
  EXPECT_TRUE(may_be_stolen(none.table.cpus, 1, 2)) << "the kernel does not tell";
  Machine c;
  c.cpu(0, CpuUser::steal, 30);
  EXPECT_TRUE(may_be_stolen(c.table.cpus, 40 * kMs, 2));
  EXPECT_FALSE(may_be_stolen(c.table.cpus, 400 * kMs, 2)) << "more than was stolen in all";
  c.table.cpus.recorded(kService, kMs);
  EXPECT_FALSE(may_be_stolen(c.table.cpus, 40 * kMs, 2)) << "threads tell what was stolen from them";
}

// Every 40th request waits 90 ms for a CPU. What the CPUs did meanwhile: others, the hypervisor, the recorder.
Study queues(std::int64_t others, std::int64_t steal, std::int64_t recorder) {
  Machine c;
  c.table.crowd.queued(kStart - 4'000 * kMs, kStart - 1'000 * kMs);  // before the time reported
  Ordinary service(41);
  for (int i = 0; i < 2400; ++i) {
    auto times = service.next(0.005);
    const std::int64_t at = i * 5 * kMs;
    if (i % 40 == 7) {
      times.emplace_back(Label::sched_runq, 90 * kMs);
      c.table.crowd.queued(kStart + at, kStart + at + 90 * kMs);
    }
    c.add(i % 2 ? "/a" : "/b", at, times);
    c.keep();
  }
  c.table.cpus.recorded(kService, 0);
  for (int tenth = 0; tenth < 122; ++tenth) {
    c.cpu(tenth, CpuUser::steal, steal);
    c.cpu(tenth, CpuUser::process, 5, kService, "shop");
    c.cpu(tenth, CpuUser::process, others / 2, 30, "lab-hog");
    c.cpu(tenth, CpuUser::process, others - others / 2, 31, "lab-hog");
    c.cpu(tenth, CpuUser::recorder, recorder, kRecorder, "tailcap-record");
  }
  return c.run();
}

TEST(Takers, AreNamed) {
  const Study hogs = queues(180, 10, 4);
  const Verdict& v = hogs.verdicts.front();
  EXPECT_EQ(v.scope, VerdictScope::machine);
  EXPECT_EQ(v.parts.at(0).origin, Origin::machine);
  ASSERT_EQ(hogs.shortage.takers.size(), 1u);
  EXPECT_EQ(hogs.shortage.takers[0].comm, "lab-hog");
  EXPECT_EQ(hogs.shortage.takers[0].processes, 2u);
  EXPECT_NEAR(hogs.shortage.takers[0].cpus, 1.8, 0.01);
  EXPECT_NEAR(hogs.shortage.steal, 0.1, 0.01);
  EXPECT_EQ(hogs.shortage.stolen, 1220 * kMs);
  EXPECT_EQ(hogs.shortage.total, 60 * 90 * kMs);

  EXPECT_EQ(queues(20, 150, 4).verdicts.front().parts.at(0).origin, Origin::hypervisor);
  EXPECT_EQ(queues(20, 0, 120).verdicts.front().parts.at(0).origin, Origin::recorder);
}

// Requests that waited for a lock while the hypervisor took the CPUs away, and no thread was queued. Each of the two
// CPUs lost half of that per tenth of a second.
TEST(Takers, WhatTheHypervisorDelaysIsPassedOn) {
  struct {
    Label label;
    int stolen;
    Origin origin;
  } const cases[] = {{Label::lock_futex, 2, Origin::service},
                     {Label::lock_futex, 40, Origin::service},  // around a wait of 90 ms: not half of it
                     {Label::lock_futex, 160, Origin::passed_on},
                     {Label::timer_sleep, 160, Origin::service},
                     {Label::io_disk, 160, Origin::service}};
  for (const auto& expected : cases) {
    Machine c;
    Ordinary service(42);
    for (int i = 0; i < 2400; ++i) {
      auto times = service.next(0.005);
      if (i % 40 == 7) times.emplace_back(expected.label, 90 * kMs);
      c.add("/orders", i * 5 * kMs, times);
      c.keep();
    }
    for (int tenth = 0; tenth < 122; ++tenth) c.cpu(tenth, CpuUser::steal, expected.stolen);
    const Study& study = c.run();
    const model::VerdictPart& part = tail_of(study).verdict.parts.at(0);
    EXPECT_EQ(part.label, expected.label);
    EXPECT_EQ(part.origin, expected.origin);
    EXPECT_EQ(part.stolen > 0.5, expected.stolen == 160);
    EXPECT_EQ(study.verdicts.front().scope == model::VerdictScope::machine, expected.origin == Origin::passed_on);
  }
}

TEST(Takers, StolenTimeIsTheHypervisors) {
  Machine c;
  Ordinary service(43);
  for (int i = 0; i < 2400; ++i) {
    auto times = service.next(0.005);
    if (i % 40 == 7) times.emplace_back(Label::cpu_stolen, 40 * kMs);
    c.add("/orders", i * 5 * kMs, times);
    c.keep();
  }
  const model::VerdictPart& part = tail_of(c.run()).verdict.parts.at(0);
  EXPECT_EQ(part.label, Label::cpu_stolen);
  EXPECT_EQ(part.origin, Origin::hypervisor);
}

}  // namespace
}  // namespace tailcap::tests::takers_test
