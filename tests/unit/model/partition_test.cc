#include "analyze/model/partition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <vector>

namespace tailcap::model {
namespace {

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

}  // namespace
}  // namespace tailcap::model
