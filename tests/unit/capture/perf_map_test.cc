#include "capture/symbols/perf_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <random>
#include <string>

namespace tailcap::capture::symbols {

namespace {

TEST(PerfMap, NamesWhatALineCovers) {
  const PerfMap map("1000 10 JS:*render /srv/app.js:5:12\n0x00002000 0x20 Lshop/Cart;::total\n");
  EXPECT_EQ(map.at(0xfff), "");
  EXPECT_EQ(map.at(0x1000), "JS:*render /srv/app.js:5:12");
  EXPECT_EQ(map.at(0x100f), "JS:*render /srv/app.js:5:12");
  EXPECT_EQ(map.at(0x1010), "");
  EXPECT_EQ(map.at(0x201f), "Lshop/Cart;::total");
}

TEST(PerfMap, LaterLinesCount) {
  const PerfMap map("1000 100 a\n1040 20 b\n1030 18 c\n10f0 20 d\n1000 8 e\n");
  EXPECT_EQ(map.at(0x1000), "e");
  EXPECT_EQ(map.at(0x1008), "a");
  EXPECT_EQ(map.at(0x1030), "c");
  EXPECT_EQ(map.at(0x1047), "c");
  EXPECT_EQ(map.at(0x1048), "b");
  EXPECT_EQ(map.at(0x1060), "a");
  EXPECT_EQ(map.at(0x10f0), "d");
  EXPECT_EQ(map.at(0x110f), "d");
  EXPECT_EQ(map.at(0x1110), "");
}

TEST(PerfMap, WhatIsNoLineIsNone) {
  for (const char* text :
       {"", "\n", "1000\n", "1000 10\n", "1000 10 \n", "x 10 a\n", "1000 x a\n", " 1000 10 a\n", "1000 0 a\n",
        "-1000 10 a\n", "ffffffffffffffff 2 a\n", "1000 10 a", "11111111111111111 1 a\n"})
    EXPECT_EQ(PerfMap(text).at(0x1000), "") << text;
  EXPECT_EQ(PerfMap(std::string("1000 10 a\0b\n", 12)).at(0x1000), "a");
  EXPECT_EQ(PerfMap("garbage\n1000 10 a\n").at(0x1000), "a");
}

// Against a table of every address.
TEST(PerfMap, AnyLinesAreAsWrittenOneAfterTheOther) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    std::map<std::uint64_t, std::string> expected;
    for (int i = 0; i < 40; ++i) {
      const std::uint64_t start = random() % 200, size = 1 + random() % 60;
      const std::string name = "f" + std::to_string(i);
      char line[64];
      std::snprintf(line, sizeof line, "%lx %lx %s\n", static_cast<unsigned long>(start),
                    static_cast<unsigned long>(size), name.c_str());
      text += line;
      for (std::uint64_t at = start; at < start + size; ++at) expected[at] = name;
    }
    const PerfMap map(text);
    for (std::uint64_t at = 0; at < 300; ++at)
      ASSERT_EQ(map.at(at), expected.contains(at) ? expected[at] : "") << at << '\n' << text;
  }
}

TEST(PerfMap, OfAnotherUserIsNotRead) {
  const int file = memfd_create("map", MFD_CLOEXEC);
  ASSERT_EQ(write(file, "1000 10 a\n", 10), 10);
  EXPECT_EQ(PerfMap::of_file(file, getuid()).at(0x1000), "a");
  EXPECT_EQ(PerfMap::of_file(file, getuid() + 1).at(0x1000), "");
  close(file);
}

}  // namespace

}  // namespace tailcap::capture::symbols
