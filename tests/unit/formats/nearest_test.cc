#include "formats/nearest.h"

#include <gtest/gtest.h>

#include <array>

namespace tailcap::formats {
namespace {

constexpr auto kNames = std::to_array<std::string_view>({"report", "requests", "recover", "show", "tree"});

TEST(Nearest, OneChangeForEachThreeLetters) {
  EXPECT_EQ(nearest("reprot", kNames), "report");   // a swap is one change
  EXPECT_EQ(nearest("repor", kNames), "report");    // a letter is missing
  EXPECT_EQ(nearest("rreport", kNames), "report");  // one letter too many
  EXPECT_EQ(nearest("request", kNames), "requests");
  EXPECT_EQ(nearest("reqeusst", kNames), "requests");
  EXPECT_EQ(nearest("shw", kNames), "show");
}

TEST(Nearest, WhatIsFarFromAllIsNone) {
  EXPECT_EQ(nearest("explain", kNames), "");
  EXPECT_EQ(nearest("", kNames), "");
  EXPECT_EQ(nearest("x", kNames), "");
  EXPECT_EQ(nearest("xy", kNames), "");
  EXPECT_EQ(nearest(std::string(1000, 'r'), kNames), "");
  EXPECT_EQ(nearest("report", {}), "");
}

TEST(Nearest, ASuggestionIsAQuestion) {
  EXPECT_EQ(suggestion("tee", kNames), ": did you mean 'tree'?");
  EXPECT_EQ(suggestion("tee", kNames, "--"), ": did you mean '--tree'?");
  EXPECT_EQ(suggestion("explain", kNames), "");
}

}  // namespace
}  // namespace tailcap::formats
