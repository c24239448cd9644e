#include "analyze/summaries/by_day.h"

#include <gtest/gtest.h>

#include <span>
#include <string>
#include <vector>

#include "analyze/summaries/merge.h"
#include "analyze/summaries/series.h"
#include "formats/summary/summary_file.h"
#include "tests/unit/summaries/weeks.h"

namespace tailcap::summaries {
namespace {

using formats::Summary;

// 60 hours of one capture, from 18:00 of a Monday.
Summary over_midnights() {
  Summary all;
  SyntheticWeeks weeks({}, 7);
  for (int day = 0; day < 4; ++day) weeks.add_day(all, day);
  std::erase_if(all.windows, [](const auto& w) {
    return w.first < kFirstMonday + 18 * kHourLength || w.first >= kFirstMonday + 78 * kHourLength;
  });
  all.captures.insert(
      {"a", "web-1", kFirstMonday + 18 * kHourLength + 5, kFirstMonday + 78 * kHourLength - 5, 3, false});
  all.environment.emplace("kernel", "6.1.0");
  all.deployments.insert({kFirstMonday + 20 * kHourLength, "shop", "web-1", "version", "v2"});
  return all;
}

TEST(ByDay, PartsAreTheWhole) {
  const Summary whole = over_midnights();
  Merger merger;
  auto parts = by_day(Summary(whole));
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts.begin()->first, kFirstMonday);
  for (auto& [day, part] : parts) {
    for (const auto& [start, window] : part.windows) EXPECT_EQ(step_of(start, kSummaryDay), day);
    ASSERT_EQ(part.captures.size(), 1u);
    EXPECT_GE(part.captures.begin()->began, day);
    EXPECT_LE(part.captures.begin()->ended, day + kSummaryDay);
    merger.add(std::move(part));
  }
  const Summary sum = merger.finish();
  EXPECT_EQ(sum.windows, whole.windows);
  EXPECT_EQ(sum.environment, whole.environment);
  EXPECT_EQ(sum.deployments, whole.deployments);
  std::uint64_t lost = 0;
  std::int64_t recorded = 0;
  for (const auto& capture : sum.captures) {
    lost += capture.lost;
    recorded += capture.ended - capture.began;
    EXPECT_FALSE(capture.whole);
  }
  EXPECT_EQ(lost, 3u);
  EXPECT_EQ(recorded, 60 * kHourLength - 10);
}

TEST(ByDay, ACaptureWithoutRequestsIsThere) {
  Summary none;
  none.window = kHourLength;
  none.captures.insert({"a", "web-1", kFirstMonday + kHourLength, kFirstMonday + 2 * kHourLength, 0, false});
  const auto parts = by_day(std::move(none));
  ASSERT_EQ(parts.size(), 1u);
  EXPECT_EQ(parts.begin()->second.captures.size(), 1u);
}

TEST(ByDay, WindowsThatCrossMidnightAreRefused) {
  Summary odd;
  odd.window = 7 * kHourLength;
  EXPECT_THROW(by_day(std::move(odd)), std::runtime_error);
}

TEST(ByDay, DeploymentsAreInTheFile) {
  const Summary whole = over_midnights();
  const std::string bytes = formats::encode_summary(whole);
  Summary read;
  EXPECT_EQ(formats::decode_summary(std::as_bytes(std::span(bytes)), read), "");
  EXPECT_EQ(read, whole);
}

// Only the latest stay, in whatever order they come.
TEST(ByDay, DeploymentsAreBounded) {
  std::vector<Summary> parts(3);
  for (std::size_t i = 0; i < 3 * formats::kMostDeployments / 2; ++i) {
    parts[i % 3].window = kHourLength;
    parts[i % 3].deployments.insert({static_cast<std::int64_t>(i), "shop", "web", "version", std::to_string(i)});
  }
  Merger one, other;
  for (int i : {0, 1, 2}) one.add(Summary(parts[static_cast<std::size_t>(i)]));
  for (int i : {2, 0, 1}) other.add(Summary(parts[static_cast<std::size_t>(i)]));
  const Summary sum = one.finish();
  EXPECT_EQ(sum.deployments.size(), formats::kMostDeployments);
  EXPECT_EQ(sum.deployments.begin()->at, static_cast<std::int64_t>(formats::kMostDeployments / 2));
  EXPECT_EQ(sum, other.finish());
}

}  // namespace
}  // namespace tailcap::summaries
