// Flame graphs: which request a stack belongs to, the counts, and that the picture contains them.
#include <gtest/gtest.h>

#include "analyze/flame/folder.h"
#include "analyze/flame/left_stacks.h"
#include "analyze/flame/owners.h"
#include "analyze/flame/svg.h"
#include "formats/event.h"
#include "formats/socket_event.h"

namespace {

using namespace tailcap;
using flame::Cohort;
using flame::Owners;
using formats::Event;
using formats::time_from;

Event by(std::uint32_t pid, std::uint32_t tid, std::int64_t at, std::uint64_t goroutine = 0) {
  return {time_from(at), {pid, tid}, formats::Sample{"a", ""}, goroutine};
}

Cohort at(Owners& owners, const Event& event, std::size_t parts = 1) {
  const auto& shares = owners.of(event.thread, event.goroutine, event.time, event.time);
  EXPECT_EQ(shares.size(), parts);
  if (shares.empty()) return Cohort::other;
  EXPECT_FALSE(shares[0].several);
  return shares[0].cohort;
}

TEST(Owners, AThreadWorksForTheRequestUnderWay) {
  Owners owners;
  owners.add(1, 2, {time_from(300), time_from(400), Cohort::typical});
  owners.add(1, 2, {time_from(100), time_from(200), Cohort::slow});
  owners.sort();
  EXPECT_EQ(at(owners, by(1, 2, 150)), Cohort::slow);
  EXPECT_EQ(at(owners, by(1, 2, 350)), Cohort::typical);
  at(owners, by(1, 2, 250), 0);
  at(owners, by(1, 2, 50), 0);
  at(owners, by(1, 2, 450), 0);
  at(owners, by(1, 3, 150), 0);
  at(owners, by(2, 2, 150), 0);
}

TEST(Owners, OfSeveralRequestsItIsNotKnownWhich) {
  Owners owners;
  owners.add(1, 2, {time_from(100), time_from(1000), Cohort::slow});
  owners.add(1, 2, {time_from(150), time_from(160), Cohort::other});
  owners.add(1, 2, {time_from(500), time_from(600), Cohort::typical});
  owners.sort();
  EXPECT_EQ(at(owners, by(1, 2, 170)), Cohort::slow);  // after a short request that began later
  const auto& shares = owners.of({1, 2}, 0, time_from(50), time_from(700));
  std::int64_t alone = 0, several = 0;
  for (const auto& share : shares) (share.several ? several : alone) += (share.end - share.begin).count();
  EXPECT_EQ(several, 110);
  EXPECT_EQ(alone, 600 - 110);
}

TEST(Owners, AGoroutineIsKnownByTheResponse) {
  Owners owners;
  owners.add(1, 2, {time_from(100), time_from(200), Cohort::slow});
  owners.sent({time_from(200), {1, 9}, formats::Io{}, 77});
  owners.sent({time_from(200), {1, 8}, formats::Io{}, 78});  // another request's
  owners.sort();
  EXPECT_EQ(at(owners, by(1, 5, 150, 77)), Cohort::slow);
  at(owners, by(1, 2, 150, 78), 0);
  at(owners, by(1, 2, 150), 0);  // the runtime, on the thread that once ran it
}

TEST(Folder, ComparesByTheRequest) {
  flame::Folder folder;
  folder.add("a;b", 30, false);
  folder.add("a;b", 100, true);
  folder.add("a;c", 7, true);
  folder.add("a", 2, false);
  EXPECT_EQ(folder.total(false), 32u);
  EXPECT_EQ(folder.total(true), 107u);
  const std::vector<model::FoldedStack> expected = {{"a", 2, 0}, {"a;b", 30, 10}, {"a;c", 0, 1}};
  EXPECT_EQ(folder.stacks(10, 100), expected);
  EXPECT_EQ(folder.stacks(10, 0)[1], (model::FoldedStack{"a;b", 30, 0}));
}

TEST(LeftStacks, AreFoundByThreadAndTimeOnly) {
  using namespace formats;
  flame::LeftStacks left;
  Sample sample;
  sample.user = "main;wait";
  sample.kernel = "__schedule";
  left.push({time_from(50), {7, 8}, sample});  // on the CPU
  EXPECT_TRUE(left.empty());
  sample.kind = SampleKind::off_cpu;
  left.push({time_from(50), {7, 8}, sample});
  const auto found = left.of(8, time_from(50));
  ASSERT_TRUE(found);
  EXPECT_EQ(found->user, "main;wait");
  EXPECT_EQ(found->kernel, "__schedule");
  EXPECT_FALSE(left.of(9, time_from(50)));
  EXPECT_FALSE(left.of(8, time_from(51)));
}

TEST(Svg, HoldsEveryFrameWithItsShareAndNothingOfOthers) {
  model::Flame flame{"On <CPU>", "10 samples", false, false, {{"a;b<script>;c", 4, 0}, {"a;d", 6, 0}}};
  const std::string text = flame::svg(flame);
  EXPECT_NE(text.find("<title>all (10 samples, 100 %)</title>"), text.npos);
  EXPECT_NE(text.find("<title>a (10 samples, 100 %)</title>"), text.npos);
  EXPECT_NE(text.find("<title>b&lt;script&gt; (4 samples, 40.0 %)</title>"), text.npos);
  EXPECT_NE(text.find("<title>d (6 samples, 60.0 %)</title><rect x=\"482\""), text.npos) << text;
  EXPECT_NE(text.find("width=\"708\""), text.npos);
  EXPECT_EQ(text.find("b<script>"), text.npos);
  EXPECT_NE(text.find("On &lt;CPU&gt;"), text.npos);
  EXPECT_EQ(text.find("http", text.find("</title>")), text.npos);  // nothing is fetched
  EXPECT_EQ(text, flame::svg(flame));
}

TEST(Svg, RedIsMoreAndBlueIsLess) {
  model::Flame flame{"t", "s", false, true, {{"less", 10, 50}, {"more", 60, 20}, {"same", 5, 5}}};
  const std::string text = flame::svg(flame);
  const auto fill = [&](const std::string& name) {
    const auto from = text.find("<title>" + name + " ");
    const auto fill_at = text.find("fill=\"", from) + 6;
    return text.substr(fill_at, text.find('"', fill_at) - fill_at);
  };
  EXPECT_EQ(fill("more"), "rgb(255,40,40)");
  EXPECT_EQ(fill("less"), "rgb(40,40,255)");
  EXPECT_EQ(fill("same"), "rgb(250,250,250)");
  EXPECT_NE(text.find("more (60 samples, 80.0 %; typical 20 samples)"), text.npos);
}

TEST(Svg, NothingAndVeryDeep) {
  EXPECT_NE(flame::svg({"t", "s", false, false, {}}).find("nothing was seen"), std::string::npos);
  std::string deep = "f";
  for (int i = 0; i < 20000; ++i) deep += ";f";
  EXPECT_LT(flame::svg({"t", "s", true, false, {{deep, 1, 0}}}).size(), 200000u);
}

}  // namespace
