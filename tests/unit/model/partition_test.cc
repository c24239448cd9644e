#include "analyze/model/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "analyze/model/columns/label_times.h"
#include "analyze/model/statistics/most_by_label.h"

namespace tailcap::model {
namespace {

// A label can have several parts, of which none is the longest of the account.
TEST(LabelTimes, PartsOfALabelAreAddedUp) {
  const auto part = [](Phase phase, Label label, std::int64_t time) {
    return AccountPart{phase, label, Evidence::measured, 0, time};
  };
  const std::vector parts{part(Phase::work, Label::lock_futex, 4), part(Phase::work, Label::timer_sleep, 5),
                          part(Phase::respond, Label::lock_futex, 3)};
  using Times = columns::LabelTimes;
  const Times sums{{Label::lock_futex, 7}, {Label::timer_sleep, 5}};
  EXPECT_EQ(columns::longest_labels(parts), sums);
  EXPECT_EQ(columns::label_times(parts).size(), 2u);
  EXPECT_TRUE(columns::longest_labels({}).empty());
}

// Some connections have none, some lack requests, and they come in any order.
TEST(Partitions, AreFoundByTheirRequest) {
  std::mt19937 random(4);
  std::vector<ExchangeId> ids;
  for (std::uint32_t connection = 1; connection <= 60; ++connection) {
    if (connection % 7 == 0) continue;
    const std::uint32_t first = random() % 3 == 0 ? 5 : 1;
    for (std::uint32_t index = first; index < first + random() % 40; ++index)
      if (connection % 2 == 0 || random() % 5 != 0) ids.push_back({connection, index});
  }
  std::shuffle(ids.begin(), ids.end(), random);
  Partitions partitions;
  EXPECT_TRUE(partitions.parts({1, 1}).empty());
  std::map<ExchangeId, std::int64_t> truth;
  for (const ExchangeId id : ids) {
    AccountPart part;
    part.time = truth[id] = static_cast<std::int64_t>(truth.size()) + 1;
    partitions.add(id, std::span(&part, 1), {});
  }
  partitions.sort();
  for (std::uint32_t connection = 0; connection <= 65; ++connection)
    for (std::uint32_t index = 0; index <= 50; ++index) {
      const auto known = truth.find({connection, index});
      const auto parts = partitions.parts({connection, index});
      ASSERT_EQ(parts.size(), known == truth.end() ? 0u : 1u) << connection << '.' << index;
      if (!parts.empty()) {
        ASSERT_EQ(std::int64_t{parts[0].time}, known->second);
      }
      ASSERT_TRUE(partitions.culprits({connection, index}).empty());
    }
}

TEST(MostByLabel, TheLongestOfEachLabel) {
  std::vector<Culprit> all;
  for (const auto& [label, time] : std::initializer_list<std::pair<Label, std::int64_t>>{
           {Label::sched_runq, 5}, {Label::cpu, 1}, {Label::sched_runq, 9}, {Label::cpu, 1}, {Label::sched_runq, 7}}) {
    all.emplace_back().label = label;
    all.back().time = time;
    all.back().tid = static_cast<std::uint32_t>(all.size());
  }
  keep_most_by_label(all, 2);
  std::vector<std::uint32_t> kept;
  for (const Culprit& c : all) kept.push_back(c.tid);
  const std::vector<std::uint32_t> want =
      Label::cpu < Label::sched_runq ? std::vector<std::uint32_t>{2, 4, 3, 5} : std::vector<std::uint32_t>{3, 5, 2, 4};
  EXPECT_EQ(kept, want);
}

}  // namespace
}  // namespace tailcap::model
