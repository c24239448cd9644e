// The memory of Go processes against their limits, and when the collector ran often because little of them was left.
#include <gtest/gtest.h>

#include "analyze/tail/go/memory.h"
#include "formats/thread_event.h"
#include "ground/recorder_notes.h"

namespace tailcap {
namespace {

using namespace formats;
using model::GoMemory;
using tail::go::Memory;

constexpr Thread kProcess{100, 100};
constexpr std::uint64_t kMb = 1'000'000;

struct Recorded {
  Memory memory;
  int now = 0;  // s

  Recorded() { push(GoProgram{}, 0); }
  template <class Body>
  void push(const Body& body, std::int64_t ms, Thread thread = kProcess) {
    memory.push({time_from(1'000'000'000 + now * std::int64_t{1'000'000'000} + ms * 1'000'000), thread, body});
  }
  // One second in which the process has this memory and collects this often.
  void second(std::uint64_t resident, int collections, std::uint64_t limit = 100 * kMb) {
    push(ProcessUse{{}, resident, resident}, 500);
    push(GoHeap{limit, 100, resident, resident / 2}, 600);
    for (int i = 0; i < collections; ++i) {
      push(GoRuntime{GoPhase::gc_begin, {}}, 10 + i);
      push(GoRuntime{GoPhase::gc_end, {}}, 10 + i);
    }
    ++now;
  }
  void group(std::uint64_t limit, std::uint64_t used, const char* name) {
    const std::string value = std::to_string(limit) + " " + std::to_string(used) + " 0 - " + name;
    push(Note{ground::kMemoryNote, value}, 0);
  }
  GoMemory study() const {
    model::GoStudy out;
    memory.fill(100, time_from(1'000'000'000 + now * std::int64_t{1'000'000'000}), out);
    return out.memory;
  }
};

TEST(GoMemory, AnIntervalNearTheLimitWithManyCollections) {
  Recorded r;
  for (int i = 0; i < 6; ++i) r.second(50 * kMb, 1);
  for (int i = 0; i < 4; ++i) r.second(95 * kMb, 20);
  for (int i = 0; i < 3; ++i) r.second(50 * kMb, 1);
  const GoMemory m = r.study();
  ASSERT_EQ(m.thrash.size(), 1u);
  EXPECT_EQ(nanoseconds(m.thrash[0].from), 7'000'000'000);
  EXPECT_EQ(nanoseconds(m.thrash[0].to), 11'000'000'000);
  EXPECT_EQ(m.thrash[0].collections, 80u);
  EXPECT_DOUBLE_EQ(m.thrash[0].per_second, 20);
  EXPECT_DOUBLE_EQ(m.thrash[0].elsewhere, 1);
  EXPECT_EQ(m.thrash[0].resident, 95 * kMb);
  EXPECT_EQ(m.own_limit, 100 * kMb);
  EXPECT_EQ(m.seconds.size(), 13u);
  EXPECT_EQ(m.seconds[0].live, 25 * kMb);
}

TEST(GoMemory, FullButNotCollectedMoreOftenIsNone) {
  Recorded r;
  for (int i = 0; i < 6; ++i) r.second(50 * kMb, 5);
  for (int i = 0; i < 4; ++i) r.second(95 * kMb, 20);  // four times as often
  EXPECT_TRUE(r.study().thrash.empty());
}

TEST(GoMemory, CollectedOftenWithMuchOfTheLimitLeftIsNone) {
  Recorded r;
  for (int i = 0; i < 6; ++i) r.second(50 * kMb, 1);
  for (int i = 0; i < 4; ++i) r.second(89 * kMb, 50);
  EXPECT_TRUE(r.study().thrash.empty());
}

TEST(GoMemory, WithoutALimitThereIsNone) {
  Recorded r;
  for (int i = 0; i < 6; ++i) r.second(50 * kMb, 1, 0);
  for (int i = 0; i < 4; ++i) r.second(950 * kMb, 50, 0);
  EXPECT_TRUE(r.study().thrash.empty());
  EXPECT_EQ(r.study().limit(), 0u);
}

TEST(GoMemory, NearItAllTheTimeHasNothingToCompareWith) {
  Recorded r;
  for (int i = 0; i < 5; ++i) r.second(95 * kMb, 9);
  EXPECT_TRUE(r.study().thrash.empty());
  for (int i = 0; i < 5; ++i) r.second(95 * kMb, 12);
  const GoMemory m = r.study();
  ASSERT_EQ(m.thrash.size(), 1u);
  EXPECT_LT(m.thrash[0].elsewhere, 0);
  EXPECT_DOUBLE_EQ(m.thrash[0].per_second, 12);
}

TEST(GoMemory, TheSmallestLimitOfItsCgroupsCounts) {
  Recorded r;
  TaskInfo info;
  info.cgroup = "/pods/shop/api";
  r.push(info, 0);
  r.group(200 * kMb, 10 * kMb, "/pods");
  r.group(80 * kMb, 30 * kMb, "/pods/shop");
  r.group(10 * kMb, 5 * kMb, "/pods/sho");  // of another one
  for (int i = 0; i < 5; ++i) r.second(40 * kMb, 0);
  r.group(80 * kMb, 75 * kMb, "/pods/shop");
  for (int i = 0; i < 3; ++i) r.second(75 * kMb, 3);
  const GoMemory m = r.study();
  EXPECT_EQ(m.limit(), 80 * kMb);
  EXPECT_TRUE(m.limited_by_group());
  EXPECT_EQ(m.group, "/pods/shop");
  EXPECT_EQ(m.seconds[4].group_used, 30 * kMb);
  EXPECT_EQ(m.seconds[6].group_used, 75 * kMb);
  ASSERT_EQ(m.thrash.size(), 1u);
  EXPECT_EQ(m.thrash[0].collections, 9u);
}

// The recorder reads the memory once a second: now and then none falls in a second, and two in the next.
TEST(GoMemory, ASecondWithoutAReadingHasThatOfTheOneBefore) {
  Recorded r;
  r.second(50 * kMb, 1);
  r.push(GoRuntime{GoPhase::gc_begin, {}}, 1);
  ++r.now;
  r.second(60 * kMb, 1);
  const GoMemory m = r.study();
  ASSERT_EQ(m.seconds.size(), 3u);
  EXPECT_EQ(m.seconds[1].resident, 50 * kMb);
}

TEST(GoMemory, OtherProcessesAreNotCounted) {
  Recorded r;
  r.push(ProcessUse{{}, 1, 1}, 1, {200, 200});
  model::GoStudy other;
  r.memory.fill(200, time_from(9'000'000'000), other);
  EXPECT_TRUE(other.memory.seconds.empty());
}

}  // namespace
}  // namespace tailcap
