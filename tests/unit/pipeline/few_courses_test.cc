// Whether a page may keep the courses of all requests.
#include <gtest/gtest.h>

#include "analyze/pipeline/exemplars.h"

namespace tailcap::pipeline {
namespace {

// Each begins a millisecond after the one before it.
model::RequestTable requests(std::uint32_t n, std::chrono::milliseconds length) {
  model::RequestTable table;
  for (std::uint32_t i = 0; i < n; ++i) {
    model::Request row;
    row.id = {1 + i, 0};
    row.start = formats::Time{std::chrono::milliseconds{i}};
    row.duration = length;
    row.has_duration = true;
    table.rows.push_back(row);
  }
  return table;
}

using std::chrono::milliseconds;

TEST(FewCourses, ByNumber) {
  EXPECT_TRUE(few_courses(requests(100, milliseconds{1}), 1000, 100));
  EXPECT_FALSE(few_courses(requests(101, milliseconds{1}), 1000, 100));
  EXPECT_TRUE(few_courses(requests(0, milliseconds{1}), UINT64_MAX, 100));
}

// One after the other: eight million events. A hundred at once: each event may be a stretch of all of them.
TEST(FewCourses, ByEventsAndRequestsAtOnce) {
  EXPECT_TRUE(few_courses(requests(1000, milliseconds{1}), 8'000'000, 5000));
  EXPECT_FALSE(few_courses(requests(1000, milliseconds{1}), 8'000'001, 5000));
  EXPECT_TRUE(few_courses(requests(1000, milliseconds{100}), 80'000, 5000));
  EXPECT_FALSE(few_courses(requests(1000, milliseconds{100}), 80'001, 5000));
  EXPECT_TRUE(few_courses(requests(1000, milliseconds{0}), 8'000'000, 5000));
}

}  // namespace
}  // namespace tailcap::pipeline
