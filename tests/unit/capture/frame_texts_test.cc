// The texts of a stack: names, lines and places, each with an entry for each frame.
#include "capture/stacks/frame_texts.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace tailcap::capture::stacks {
namespace {

const CodeAddress kShop{"ab12", "shop", 0x9c4f}, kLibc{"cd34", "libc.so.6", 0x10}, kNoId{"", "old;er", 7};

TEST(FrameTexts, EachFrameHasItsEntries) {
  FrameTexts text;
  text.add("main", {}, &kShop);
  text.add("render (svc.py:5)");
  text.add({{"mix (inlined)", "hot.c:11"}, {"render", "hot.c:16"}}, nullptr);
  text.add("read", {}, &kLibc);
  text.add("late", {}, &kNoId);
  formats::Sample sample;
  text.put(sample);
  EXPECT_EQ(sample.user, "main;render (svc.py:5);render;mix (inlined);read;late");
  EXPECT_EQ(sample.lines, ";;hot.c:16;hot.c:11;;");
  EXPECT_EQ(sample.places, "0+9c4f;;;;1+10;2+7");
  EXPECT_EQ(sample.build_ids, "ab12;cd34;");
  EXPECT_EQ(sample.files, "shop;libc.so.6;old er");
  const auto places = FrameTexts::places_of(sample, entries_of(sample.user).size());
  ASSERT_EQ(places.size(), 6u);
  EXPECT_EQ(places[0], kShop);
  EXPECT_EQ(places[1], CodeAddress());
  EXPECT_EQ(places[4], kLibc);
  EXPECT_EQ(places[5], (CodeAddress{"", "old er", 7}));
}

TEST(FrameTexts, NothingIsEmpty) {
  FrameTexts text;
  text.add("main");
  text.add("render");
  formats::Sample sample;
  text.put(sample);
  EXPECT_EQ(sample.user, "main;render");
  EXPECT_EQ(sample.lines, "");
  EXPECT_EQ(sample.places, "");
  EXPECT_TRUE(FrameTexts::places_of(sample, 2).empty());
}

TEST(FrameTexts, WhatDoesNotFitIsNothing) {
  formats::Sample sample;
  sample.user = "a;b";
  sample.places = "0+1";
  sample.build_ids = "ab";
  sample.files = "f";
  EXPECT_TRUE(FrameTexts::places_of(sample, 2).empty()) << "one entry for two frames";
  for (const std::string_view bad : {"1+1;", "0+;", "0+xyz;", "+1;", "0;", "18446744073709551616+1;", "0+1z;"}) {
    sample.places = bad;
    const auto places = FrameTexts::places_of(sample, 2);
    ASSERT_EQ(places.size(), 2u) << bad;
    EXPECT_EQ(places[0], CodeAddress()) << bad;
  }
}

TEST(FrameTexts, InlinedFunctionsDoNotMakeAStackEndless) {
  std::vector<CodeFrame> frames(60, {std::string(200, 'f') + " (inlined)", "x.c:1"});
  frames.push_back({"outer", "x.c:2"});
  FrameTexts text;
  for (int i = 0; i < 127; ++i) text.add(frames, nullptr);
  formats::Sample sample;
  text.put(sample);
  EXPECT_LT(sample.user.size(), 100'000u);
  const auto names = entries_of(sample.user);
  EXPECT_EQ(std::count(names.begin(), names.end(), "outer"), 127);
  EXPECT_EQ(entries_of(sample.lines).size(), names.size());
}

}  // namespace
}  // namespace tailcap::capture::stacks
