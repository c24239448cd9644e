#include "analyze/partition/history/last_turns.h"

#include <gtest/gtest.h>

namespace tailcap::partition {
namespace {

model::ExchangeId request(std::uint32_t n) { return {n % 37 + 1, n / 37}; }

TEST(LastTurns, KnowsTheLastOfEachRequest) {
  constexpr std::uint32_t kRequests = 5000;
  LastTurns last;
  EXPECT_EQ(last.of(request(0)), 0u);
  for (std::uint32_t n = 0; n < kRequests; ++n) EXPECT_EQ(last.exchange(request(n), n + 1), 0u);
  for (std::uint32_t n = 0; n < kRequests; n += 3) EXPECT_EQ(last.exchange(request(n), kRequests + n), n + 1);
  for (std::uint32_t n = 0; n < kRequests; ++n) EXPECT_EQ(last.of(request(n)), n % 3 == 0 ? kRequests + n : n + 1);
  EXPECT_EQ(last.of(request(kRequests)), 0u);
}

TEST(LastTurns, ForgetsOldOnes) {
  LastTurns last;
  for (std::uint32_t n = 0; n < 1000; ++n) last.exchange(request(n), n + 1);
  last.forget_before(901);
  for (std::uint32_t n = 0; n < 1000; ++n) EXPECT_EQ(last.of(request(n)), n < 900 ? 0u : n + 1);
  EXPECT_EQ(last.exchange(request(3), 2000), 0u);
  EXPECT_EQ(last.of(request(3)), 2000u);
  last.forget_before(3000);
  EXPECT_EQ(last.of(request(3)), 0u);
}

}  // namespace
}  // namespace tailcap::partition
