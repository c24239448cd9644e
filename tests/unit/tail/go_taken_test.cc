// Resources taken from goroutines and by them: totals by function, by size, and by the route of the request served.
#include <gtest/gtest.h>

#include "analyze/tail/go/taken.h"
#include "formats/event.h"

namespace tailcap {
namespace {

using namespace formats;
using tail::go::Taken;

constexpr Thread kThread{100, 101};

Time at(std::int64_t ms) { return time_from(ms * 1'000'000); }

Event sampled(std::int64_t ms, std::uint64_t goroutine, SampleKind kind, std::string_view stack,
              std::uint64_t value = 0, std::uint32_t weight = 1) {
  Sample sample;
  sample.user = stack;
  sample.kind = kind;
  sample.value = value;
  sample.weight = weight;
  return {at(ms), kThread, sample, goroutine};
}

TEST(GoTaken, AllocationsBySizeWithARateFromTheFirstReadingOn) {
  Taken taken;
  taken.push({at(1000), {100, 100}, GoAllocations{0, 0, 0}});
  taken.push({at(1000), {100, 100}, GoAllocations{64, 7, 700}});  // the time is unknown
  taken.push({at(2000), {100, 100}, GoAllocations{64, 1000, 64000}});
  taken.push({at(3000), {100, 100}, GoAllocations{1024, 3, 3072}});
  taken.push({at(3000), {200, 200}, GoAllocations{8, 1, 8}});
  model::GoStudy study;
  taken.fill(100, {}, study);
  EXPECT_TRUE(study.allocations_told);
  EXPECT_EQ(study.allocations, 1010u);
  EXPECT_EQ(study.allocated, 700u + 64000 + 3072);
  EXPECT_EQ(study.allocated_over, Duration(2'000'000'000));
  EXPECT_EQ(study.allocated_since, 1003u);
  ASSERT_EQ(study.sizes.size(), 2u);
  EXPECT_EQ(study.sizes[0].count, 1007u);
  model::GoStudy other, nobody;
  taken.fill(200, {}, other);
  EXPECT_EQ(other.allocations, 1u);
  EXPECT_EQ(other.allocated_over.count(), 0);  // one reading: no rate
  taken.fill(300, {}, nobody);
  EXPECT_FALSE(nobody.allocations_told);
}

TEST(GoTaken, SharesAreOfWhatTheGoroutineServedThen) {
  Taken taken;
  taken.push(
      sampled(15, 7, SampleKind::allocation, "main.serve;main.make;runtime.makeslice;runtime.mallocgc", 1024, 500));
  taken.push(sampled(16, 7, SampleKind::preempted, "main.serve;main.loop;runtime.asyncPreempt;runtime.asyncPreempt2"));
  taken.push(sampled(17, 7, SampleKind::preempted, "main.serve;runtime.gcAssistAlloc"));
  taken.push(sampled(18, 8, SampleKind::preempted, ""));                   // serves no request
  taken.push(sampled(25, 7, SampleKind::allocation, "main.idle", 10, 1));  // between requests
  taken.push(sampled(35, 7, SampleKind::allocation, "runtime.mallocgc", 40000, 1));
  taken.push(sampled(36, 7, SampleKind::on_cpu, "main.serve"));
  taken.push(sampled(36, 7, SampleKind::off_cpu, "main.serve"));
  model::GoStudy study;
  taken.fill(100, {{7, at(10), at(20), "GET /a"}, {7, at(30), at(40), "GET /b"}, {9, at(0), at(90), "GET /c"}}, study);
  EXPECT_EQ(study.preemptions, 3u);
  ASSERT_EQ(study.preempted_at.size(), 3u);
  EXPECT_EQ(study.preempted_at[0].function, "[unknown]");
  EXPECT_EQ(study.preempted_at[1].function, "main.loop");
  EXPECT_EQ(study.preempted_at[2].function, "runtime.gcAssistAlloc");
  ASSERT_EQ(study.hot.size(), 3u);
  EXPECT_EQ(study.hot[0].function, "main.make");
  EXPECT_EQ(study.hot[0].bytes, 512000u);
  EXPECT_EQ(study.hot[1].function, "[unknown]");
  ASSERT_EQ(study.shares.size(), 2u);
  EXPECT_EQ(study.shares[0].route, "GET /a");
  EXPECT_EQ(study.shares[0].allocations, 500u);
  EXPECT_EQ(study.shares[0].preemptions, 2u);
  EXPECT_EQ(study.shares[1].route, "GET /b");
  EXPECT_EQ(study.shares[1].bytes, 40000u);
}

}  // namespace
}  // namespace tailcap
