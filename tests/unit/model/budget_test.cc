#include "analyze/model/sampling/budget.h"

#include <gtest/gtest.h>

namespace tailcap::model {
namespace {

TEST(BudgetNotes, Steps) {
  const auto step = [](std::string_view text) { return read_step(text, formats::Time{}); };
  const auto all = step("1/8 cost 19300 ppm stacks off waits off above");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->of, 8u);
  EXPECT_EQ(all->cost_ppm, 19300u);
  EXPECT_EQ(all->stacks, false);
  EXPECT_EQ(all->waits, false);
  EXPECT_TRUE(all->above);
  EXPECT_EQ(step("1/1 cost 0 ppm waits on")->waits, true);
  EXPECT_FALSE(step("1/1 cost 0 ppm waits on")->stacks);
  EXPECT_FALSE(step("1/1 cost unknown")->measured);
  // It is not known where the recorder does not speak of it.
  EXPECT_FALSE(step("1/4 cost 5 ppm stacks on")->waits);
  EXPECT_FALSE(step("1/1 cost 0 ppm waits on")->same_as(*step("1/1 cost 0 ppm waits off")));
  const auto none = step("none cost 5 ppm waits off");
  ASSERT_TRUE(none);
  EXPECT_FALSE(none->looks);
  EXPECT_FALSE(none->same_as(*step("1/1 cost 5 ppm waits off")));
  for (const char* wrong : {"", "none", "nonecost 5 ppm", "1/0 cost 5 ppm", "1/4", "1/4 cost 5 ppm waits",
                            "1/4 cost 5 ppm waits off stacks on", "1/4 cost 5 ppm above waits off",
                            "1/4 cost 5 ppm waits off ", "1/4294967296 cost 5 ppm"})
    EXPECT_FALSE(step(wrong)) << wrong;
}

}  // namespace
}  // namespace tailcap::model
