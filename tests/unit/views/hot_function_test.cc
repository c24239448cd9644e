#include "analyze/views/flame/hot_function.h"

#include <gtest/gtest.h>

namespace tailcap::views {

namespace {

std::string text_of(const std::vector<model::FoldedStack>& stacks) {
  const auto found = hot_function(stacks);
  return found ? found->name + " " + std::to_string(found->inside) + "/" + std::to_string(found->samples) : "none";
}

TEST(HotFunction, IsTheInnermostThatMostSamplesAreIn) {
  EXPECT_EQ(
      text_of({{"shop;main;serve;render;copy", 12}, {"shop;main;serve;render;hash", 10}, {"shop;main;serve", 10}}),
      "render 22/32");
  EXPECT_EQ(text_of({{"shop;main;a", 16}, {"shop;main;b", 16}}), "main 32/32");
  EXPECT_EQ(text_of({{"shop;x;a", 16}, {"shop;y;a", 16}}), "a 32/32") << "whoever calls it";
  EXPECT_EQ(text_of({{"shop;f;f;f", 30}}), "f 30/30");
}

TEST(HotFunction, OfPythonWhereThereIsPython) {
  EXPECT_EQ(text_of({{"python3;_start;main (svc.py:9);render (svc.py:5);PyNumber_Add;long_add", 40},
                     {"python3;_start;main (svc.py:9);_PyEval_Vector", 10}}),
            "render (svc.py:5) 40/50");
  EXPECT_EQ(text_of({{"shop;f(int);g(char (*)(int))", 40}, {"shop;main (svc.py:9)", 3}}), "g(char (*)(int)) 40/43");
}

TEST(HotFunction, WhatHasNoNameIsNone) {
  EXPECT_EQ(text_of({{"shop;main;[libc.so.6];read_[k]", 30}}), "main 30/30");
  EXPECT_EQ(text_of({{"shop;[unknown]", 300}}), "none");
  EXPECT_EQ(text_of({{"(other stacks)", 300}}), "none");
  EXPECT_EQ(text_of({{"shop", 300}}), "none");
}

TEST(HotFunction, InlinedFunctionsCountButNotThoseOfStandardLibraries) {
  EXPECT_EQ(text_of({{"shop;main;render;mix (inlined)", 40}}), "mix (inlined) 40/40");
  EXPECT_EQ(text_of({{"shop;main;render;mix (inlined);bool std::operator==<char>(char, char) (inlined)", 40}}),
            "mix (inlined) 40/40");
  EXPECT_EQ(text_of({{"shop;main;render;std::vector<int>::at(unsigned long) (inlined)", 40}}), "render 40/40");
  EXPECT_EQ(text_of({{"shop;main;<Cart<T> as Page>::render;<core::ops::Range<u64> as core::iter::Iterator>::next "
                      "(inlined);<u64 as core::cmp::PartialOrd>::lt (inlined)",
                      40}}),
            "<Cart<T> as Page>::render 40/40");
  EXPECT_EQ(text_of({{"shop;main;<shop::Cart as core::iter::Iterator>::next (inlined)", 40}}),
            "<shop::Cart as core::iter::Iterator>::next (inlined) 40/40");
}

TEST(HotFunction, FewSamplesOrNoMostAreNone) {
  EXPECT_EQ(text_of({{"shop;main;a", 29}}), "none");
  EXPECT_EQ(text_of({{"shop;a", 15}, {"shop;b", 15}}), "none");
  EXPECT_EQ(text_of({}), "none");
}

}  // namespace

}  // namespace tailcap::views
