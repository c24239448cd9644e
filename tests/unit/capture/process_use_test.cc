// CPU time and memory of a process as the kernel counts them, while this one uses known amounts.
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>

#include "capture/log/process_uses.h"
#include "capture/log/turns.h"

namespace tailcap::capture {
namespace {

std::int64_t used_by_this_thread() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return used.tv_sec * std::int64_t{1'000'000'000} + used.tv_nsec;
}

TEST(ProcessUse, CountsWhatThisProcessUses) {
  constexpr std::size_t kBytes = 64u << 20;
  const auto pid = static_cast<std::uint32_t>(getpid());
  const auto before = process_use(pid);
  ASSERT_TRUE(before);
  const std::int64_t began = used_by_this_thread();
  void* const pages = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(pages, MAP_FAILED);
  std::memset(pages, 1, kBytes);
  while (used_by_this_thread() - began < 50'000'000) {
  }
  const auto after = process_use(pid);
  ASSERT_TRUE(after);
  const std::int64_t used = used_by_this_thread() - began;
  EXPECT_GE((after->cpu - before->cpu).count(), 50'000'000);
  EXPECT_LE((after->cpu - before->cpu).count(), used + 20'000'000) << "no other thread does anything here";
  EXPECT_NEAR(static_cast<double>(after->anonymous) - static_cast<double>(before->anonymous), kBytes, 4 << 20);
  EXPECT_GE(after->resident, after->anonymous);
  munmap(pages, kBytes);
}

TEST(ProcessUse, AProcessThatIsGoneHasNone) { EXPECT_FALSE(process_use(4'194'305)); }  // beyond the kernel's limit

TEST(Turns, EachProcessHasItsTurn) {
  const std::unordered_set<std::uint32_t> processes = {5, 3, 9, 7};
  std::uint32_t next = 0;
  EXPECT_EQ(turn_of(processes, 3, next), (std::vector<std::uint32_t>{3, 5, 7}));
  EXPECT_EQ(turn_of(processes, 3, next), (std::vector<std::uint32_t>{9, 3, 5}));
  EXPECT_EQ(turn_of(processes, 9, next), (std::vector<std::uint32_t>{7, 9, 3, 5}));
}

}  // namespace
}  // namespace tailcap::capture
