#include "analyze/views/watch/live_sampling.h"

#include <gtest/gtest.h>

#include "analyze/query/policy_file.h"
#include "analyze/query/yaml.h"

namespace tailcap::watch {
namespace {

TEST(LiveSampling, TheShareIsAPowerOfTwoAndNotLessThanTheRate) {
  const std::pair<double, std::uint32_t> known[] = {{1, 1},       {0.51, 1},          {0.5, 2},     {0.3, 2},
                                                    {0.25, 4},    {0.1, 8},           {0.01, 64},   {1.0 / 64, 64},
                                                    {0.001, 512}, {1.0 / 1024, 1024}, {1e-6, 1024}, {0, 1024}};
  for (const auto& [rate, of] : known) {
    EXPECT_EQ(one_in_for(rate), of) << rate;
    if (of < 1024) {
      EXPECT_GE(1.0 / of, rate * (1 - 1e-6));
    }
  }
  for (double rate = 1; rate > 0.002; rate *= 0.97) {
    const double share = 1.0 / one_in_for(rate);
    EXPECT_GE(share, rate);
    EXPECT_LT(share, 2 * rate) << "half of it would do";
  }
}

TEST(LiveSampling, TheFirstEntryThatAppliesDecides) {
  const auto policy = query::policy_of(
      "conditions:\n"
      "- {name: failing, at_least: {errors: 1%}, over: 1s}\n"
      "- {name: busy, at_least: {rate: 1000}, over: 1s}\n"
      "- {name: slow, at_least: {p95: 1s}, over: 1s}\n"
      "sampling: {rate: 50%, adapt: [{when: failing, rate: 100%}, {when: busy, rate: 10%}]}\n");
  EXPECT_EQ(policy.not_live, "");
  LiveSampling sampling(policy, "p.yaml");
  EXPECT_TRUE(sampling.decides(0));
  EXPECT_TRUE(sampling.decides(1));
  EXPECT_FALSE(sampling.decides(2)) << "it takes snapshots";
  EXPECT_EQ(sampling.wanted().of, 2u);
  EXPECT_EQ(sampling.wanted().why, "p.yaml: rate 50 %");
  sampling.saw(1, true);
  EXPECT_EQ(sampling.wanted().of, 8u);
  EXPECT_EQ(sampling.wanted().why, "p.yaml: rate 10 % while busy");
  sampling.saw(0, true);
  EXPECT_EQ(sampling.wanted().of, 1u);
  sampling.saw(0, false);
  sampling.saw(1, false);
  EXPECT_EQ(sampling.wanted().of, 2u);
}

TEST(LiveSampling, WhatCannotBeAppliedHasItsPlace) {
  const std::string conditions = "conditions: [{name: busy, at_least: {rate: 1}, over: 1s}]\n";
  const auto reason = [&](const std::string& more) { return query::policy_of(conditions + more).not_live; };
  EXPECT_EQ(reason("sampling: {rate: 10%, adapt: [{when: busy, rate: 1%}]}"), "");
  EXPECT_TRUE(reason("sampling: {rate: 10%, adapt: [{when: busy, route: /pay, rate: 1%}]}")
                  .starts_with("2:44: a rate of one route"));
  EXPECT_TRUE(reason("sampling: {rate: 10%, keep: status >= 500}").starts_with("2:23: keep is decided when"));
  EXPECT_TRUE(reason("sampling: {rate: 10%, key: request_id}").starts_with("2:23: key does not apply"));
  EXPECT_TRUE(reason("breakers: [{name: b, open: [busy], open_for: 1s}]").starts_with("2:1: breakers reject"));
}

}  // namespace
}  // namespace tailcap::watch
