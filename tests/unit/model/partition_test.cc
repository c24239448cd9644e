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
  std::vector<std::uint8_t> packed;
  Partitions::pack(std::vector{part(Phase::work, Label::lock_futex, 4), part(Phase::work, Label::timer_sleep, 5),
                               part(Phase::respond, Label::lock_futex, 3)},
                   {}, packed);
  const AccountParts parts(packed.data());
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
      for (const AccountPart& part : parts) ASSERT_EQ(part.time, known->second);
      ASSERT_TRUE(partitions.culprits({connection, index}).empty());
    }
}

// As many as a request can have, with the greatest numbers that there are, come back as they were.
TEST(Partitions, ArePackedWithoutLoss) {
  std::mt19937_64 random(7);
  const auto number = [&] { return random() >> random() % 64; };
  Partitions partitions;
  std::map<ExchangeId, std::pair<std::vector<AccountPart>, std::vector<Culprit>>> truth;
  for (std::uint32_t index = 1; index <= 300; ++index) {
    auto& [parts, culprits] = truth[{1, index}];
    const std::size_t labels = index == 1 ? kLabels : random() % 4;
    for (std::size_t phase = 0; phase < kPhases; ++phase)
      for (std::size_t label = 0; label < labels; ++label)
        for (const Evidence evidence : {Evidence::measured, Evidence::inferred, Evidence::sampled})
          parts.push_back({static_cast<Phase>(phase), static_cast<Label>(label), evidence,
                           static_cast<std::uint8_t>(number()), static_cast<std::int64_t>(number() >> 1)});
    for (std::size_t n = labels * 3; n > 0; --n)
      culprits.push_back({static_cast<Label>(random() % kLabels),
                          static_cast<std::int64_t>(number() >> 1),
                          random() % 2 == 0 ? 0 : number(),
                          {static_cast<std::uint32_t>(number()), static_cast<std::uint32_t>(number())},
                          static_cast<std::uint32_t>(number())});
    partitions.add({1, index}, parts, culprits);
  }
  partitions.sort();
  for (const auto& [id, account] : truth) {
    const AccountParts parts = partitions.parts(id);
    const Culprits culprits = partitions.culprits(id);
    ASSERT_EQ(parts.size(), account.first.size());
    EXPECT_TRUE(std::equal(parts.begin(), parts.end(), account.first.begin()));
    ASSERT_EQ(culprits.size(), account.second.size());
    EXPECT_TRUE(std::equal(culprits.begin(), culprits.end(), account.second.begin()));
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
