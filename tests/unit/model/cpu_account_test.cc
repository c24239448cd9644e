// Who had the CPUs, from events whose sums are known.
#include "analyze/model/machine/cpu_account.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analyze/model/crowd.h"
#include "formats/event.h"
#include "formats/recorder_event.h"

namespace tailcap::model {
namespace {

using formats::CpuUser;

constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint32_t kRecorder = 500;

struct Case {
  CpuAccount account;
  void add(std::int64_t from, std::int64_t to, CpuUser user, std::int64_t ms, std::uint32_t pid = 0,
           std::string_view comm = {}, std::uint32_t recorder = kRecorder, std::uint64_t read = 0) {
    formats::MachineCpu cpu{user, formats::time_from(from * kMs), formats::Duration{ms * kMs}, pid, comm, read};
    formats::Event event;
    event.time = formats::time_from(to * kMs);
    event.thread = {recorder, recorder};
    event.body = cpu;
    account.push(event, cpu);
  }
};

TEST(CpuAccount, AveragesOverIntervals) {
  Case c;
  c.account.recorded(10, 0);
  c.add(100, 200, CpuUser::idle, 20);
  c.add(100, 200, CpuUser::steal, 10);
  c.add(100, 200, CpuUser::process, 40, 30, "cc1plus");
  c.add(100, 200, CpuUser::process, 40, 31, "cc1plus");
  c.add(100, 200, CpuUser::process, 60, 10, "shop");
  c.add(100, 200, CpuUser::process, 5, 40, "kworker/1:2-events");
  c.add(100, 200, CpuUser::process, 5, 41, "kworker/u8:0");
  c.add(100, 200, CpuUser::recorder, 8, kRecorder, "tailcap-record");
  c.add(200, 300, CpuUser::steal, 0);
  c.add(200, 300, CpuUser::process, 100, 30, "cc1plus");
  c.add(200, 300, CpuUser::others, 0);
  const std::vector<CpuAccount::Interval> both = {{150 * kMs, 160 * kMs}, {190 * kMs, 230 * kMs}};
  const auto use = c.account.over(both);
  ASSERT_TRUE(use.known);
  // 20 ms in the first tenth of a second, 30 ms in the second.
  EXPECT_NEAR(use.steal, 0.4 * 0.1, 1e-9);
  EXPECT_NEAR(use.recorder, 0.4 * 0.08, 1e-9);
  EXPECT_NEAR(use.own, 0.4 * 0.6, 1e-9);
  ASSERT_EQ(use.takers.size(), 2u);
  EXPECT_EQ(use.takers[0].comm, "cc1plus");
  EXPECT_EQ(use.takers[0].processes, 2u);
  EXPECT_NEAR(use.takers[0].cpus, 0.4 * 0.8 + 0.6 * 1.0, 1e-9);
  EXPECT_EQ(use.takers[1].comm, "kworker");
  EXPECT_EQ(use.takers[1].processes, 2u);
  EXPECT_TRUE(c.account.tells_steal());
  EXPECT_EQ(c.account.stolen(), 10 * kMs);
  EXPECT_EQ(c.account.stolen_around(199 * kMs, 250 * kMs), 10 * kMs);
  EXPECT_EQ(c.account.stolen_around(200 * kMs, 250 * kMs), 0);
}

TEST(CpuAccount, WhatIsNotToldIsNotKnown) {
  Case c;
  c.add(100, 1100, CpuUser::idle, 900);
  EXPECT_FALSE(c.account.tells_steal());
  EXPECT_EQ(c.account.stolen(), -1);
  const std::vector<CpuAccount::Interval> some = {{150 * kMs, 160 * kMs}};
  EXPECT_FALSE(c.account.over(some).known);
  EXPECT_FALSE(CpuAccount{}.over(some).known);
}

TEST(CpuAccount, OfOneMachineOnly) {
  Case c;
  c.add(100, 200, CpuUser::steal, 10);
  c.add(100, 200, CpuUser::process, 90, 30, "cc1plus");
  c.add(200, 300, CpuUser::steal, 10, 0, {}, kRecorder | 1u << 22);
  const std::vector<CpuAccount::Interval> some = {{150 * kMs, 160 * kMs}};
  EXPECT_FALSE(c.account.over(some).known);
  EXPECT_EQ(c.account.stolen(), -1);
}

TEST(CpuAccount, RefusesTimesThatCannotBe) {
  Case c;
  c.add(200, 100, CpuUser::steal, 10);
  c.add(100, 200, CpuUser::steal, INT64_MAX / kMs);
  EXPECT_LE(c.account.stolen(), 100 * kMs * (1 << 16));
  c.add(150, 250, CpuUser::steal, 10);  // overlaps
  EXPECT_EQ(c.account.stolen_around(210 * kMs, 220 * kMs), 0);
}

// A program that uses disks in a tenth of the recording, or in all of it.
TEST(CpuAccount, HowOftenAWaitMeetsUseOfDisksByChance) {
  const std::vector<CpuAccount::Interval> waits = {{2000 * kMs, 2050 * kMs}, {5000 * kMs, 5050 * kMs}};
  Case c;
  for (int tenth = 1; tenth < 101; ++tenth) {
    c.add(100 * tenth, 100 * tenth + 100, CpuUser::process, 1, 30, "always", kRecorder, 2 << 20);
    if (tenth == 20 || tenth == 50)
      c.add(100 * tenth, 100 * tenth + 100, CpuUser::process, 1, 31, "then", kRecorder, 4 << 20);
    if (tenth % 5 == 0 && tenth != 50)
      c.add(100 * tenth, 100 * tenth + 100, CpuUser::process, 1, 32, "often", kRecorder, 3 << 20);
  }
  std::vector<DiskUser> users = c.account.disk_users(waits);
  ASSERT_EQ(users.size(), 3u);
  EXPECT_EQ(users[0].comm, "then");
  EXPECT_LT(users[0].elsewhere, 0) << "not known: the use of disks is not recorded at all moments";
  c.account.tells_all_disk_use();
  users = c.account.disk_users(waits);
  EXPECT_EQ(users[0].met, 2u);
  EXPECT_EQ(users[0].of, 2u);
  EXPECT_NEAR(users[0].elsewhere, 2 * 150.0 / 9950, 0.001);
  EXPECT_NEAR(users[0].chance, users[0].elsewhere * users[0].elsewhere, 0.0001);
  const auto named = [&](std::string_view comm) {
    return *std::ranges::find_if(users, [&](const DiskUser& u) { return u.comm == comm; });
  };
  EXPECT_EQ(named("always").elsewhere, 1);
  EXPECT_EQ(named("always").chance, 1);
  EXPECT_EQ(named("often").met, 1u);
  EXPECT_NEAR(named("often").elsewhere, 0.28, 0.03);
  EXPECT_GT(named("often").chance, 0.4);
  c.account.has_gaps();
  EXPECT_LT(c.account.disk_users(waits)[0].elsewhere, 0);
}

TEST(Crowd, CommonParts) {
  Crowd crowd;
  crowd.queued(10 * kMs, 20 * kMs);
  crowd.queued(30 * kMs, 40 * kMs);
  const std::vector<Crowd::Interval> of = {{35 * kMs, 50 * kMs}, {5 * kMs, 12 * kMs}, {11 * kMs, 33 * kMs}};
  const std::vector<Crowd::Interval> expected = {
      {10 * kMs, 12 * kMs}, {12 * kMs, 20 * kMs}, {30 * kMs, 33 * kMs}, {35 * kMs, 40 * kMs}};
  EXPECT_EQ(crowd.common(of), expected);
}

}  // namespace
}  // namespace tailcap::model
