// Who used the CPUs: the kernel's tables as they are read, and /proc/stat.
#include "capture/log/machine.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "capture/host/cpu_times.h"

namespace tailcap::capture {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

// One CPU, written to as bpf/sched/machine.bpf.h does.
struct Cpu {
  std::vector<bpf::cpu_table> tables = std::vector<bpf::cpu_table>(1);
  bpf::cpu_table& table = tables.front();
  std::uint64_t clock = 1000 * kMs;

  explicit Cpu(std::uint32_t first) { begin(first); }
  void begin(std::uint32_t pid) {
    table.switched = table.clock = clock;
    table.running = pid;
  }
  // The process that runs has done so for this long, and the next follows.
  void run(std::uint64_t ms, std::uint32_t next) {
    clock += ms * kMs;
    if (const std::uint32_t pid = table.running; pid != 0) {
      bpf::cpu_slot& slot = table.slots[pid % CPU_SLOTS];
      if (slot.tgid != pid) {
        table.others += slot.time;
        slot.time = 0;
        slot.tgid = pid;
        slot.changes += 2;
        std::strncpy(slot.comm, ("p" + std::to_string(pid)).c_str(), sizeof slot.comm - 1);
      }
      slot.time += clock - table.switched;
    }
    begin(next);
  }
  // It goes on.
  void pass(std::uint64_t ms) { table.clock = clock = clock + ms * kMs; }
};

std::int64_t ms(const CpuUsers& users, std::uint32_t pid) {
  const auto at = users.sums().users.find(pid);
  return at == users.sums().users.end() ? 0 : at->second.time / static_cast<std::int64_t>(kMs);
}

TEST(CpuUsers, SlicesThatEndedAndThatHaveNot) {
  Cpu cpu(7);
  cpu.run(50, 8);
  CpuUsers users;
  users.look(cpu.tables);
  EXPECT_EQ(ms(users, 7), 0);  // before the first look
  users.forget();
  cpu.run(5, 7);
  cpu.run(20, 8);
  cpu.pass(30);
  users.look(cpu.tables);
  EXPECT_EQ(ms(users, 7), 20);
  EXPECT_EQ(ms(users, 8), 35);
  EXPECT_EQ(users.sums().users.at(7).comm, "p7");
  users.forget();
  cpu.pass(40);
  users.look(cpu.tables);
  EXPECT_EQ(ms(users, 8), 40);
  users.forget();
  cpu.run(10, 0);
  users.look(cpu.tables);
  EXPECT_EQ(ms(users, 8), 10);
  EXPECT_EQ(ms(users, 7), 0);
}

TEST(CpuUsers, ThoseThatWereReplacedAreOthers) {
  Cpu cpu(7);
  cpu.run(30, 9);
  CpuUsers users;
  users.look(cpu.tables);
  users.forget();
  cpu.run(1, 7);
  cpu.run(4, 7 + CPU_SLOTS);
  cpu.run(11, 7 + 2 * CPU_SLOTS);
  cpu.run(2, 9);
  users.look(cpu.tables);
  // 4 ms of 7, whose first 30 ms were counted before, and 11 ms of the one after it.
  EXPECT_EQ(users.sums().others / static_cast<std::int64_t>(kMs), 15);
  EXPECT_EQ(ms(users, 7 + 2 * CPU_SLOTS), 2);
  EXPECT_EQ(ms(users, 9), 1);
}

TEST(CpuUsers, NotWhileTheKernelChangesTheEntry) {
  Cpu cpu(7);
  CpuUsers users;
  users.look(cpu.tables);
  cpu.run(5, 9);
  bpf::cpu_slot& slot = cpu.table.slots[7];
  ++slot.changes;
  users.look(cpu.tables);
  EXPECT_EQ(ms(users, 7), 0);
  ++slot.changes;
  users.look(cpu.tables);
  EXPECT_EQ(ms(users, 7), 5);
}

TEST(CpuTimes, OfProcStat) {
  const auto times = parse_cpu_times("cpu  10 20 30 400 50 6 7 8 0 0\ncpu0 1 2 3\n", 100);
  ASSERT_TRUE(times);
  EXPECT_EQ(times->idle, 4'000'000'000);
  EXPECT_EQ(times->iowait, 500'000'000);
  EXPECT_EQ(times->irq, 60'000'000);
  EXPECT_EQ(times->softirq, 70'000'000);
  EXPECT_EQ(times->steal, 80'000'000);
  for (const char* broken : {"", "cpu0 1 2 3 4 5 6 7 8", "cpu  1 2 3", "cpu  1 2 3 4 5 6 7 -8", "cpu  1 2 x 4 5 6 7 8",
                             "cpu  1 2 3 99999999999999999999 5 6 7 8"})
    EXPECT_FALSE(parse_cpu_times(broken, 100)) << broken;
}

}  // namespace
}  // namespace tailcap::capture
