#include "capture/symbols/perf_map.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <random>
#include <string>
#include <vector>

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

std::string word_of(std::uint64_t value, std::size_t bytes) { return {reinterpret_cast<const char*>(&value), bytes}; }

std::string dumped(std::uint32_t kind, const std::vector<std::uint64_t>& words, const std::string& rest = "") {
  std::string body = word_of(0, 8) + word_of(0, 8) + word_of(0, 8);  // time, process and thread, address space
  for (const std::uint64_t each : words) body += word_of(each, 8);
  body += rest;
  return word_of(kind, 4) + word_of(body.size() + 8, 4) + body;
}

std::string loaded(std::uint64_t start, std::uint64_t size, std::uint64_t index, const std::string& name) {
  return dumped(0, {start, size, index}, name + std::string(1, '\0') + std::string(size, '\x90'));
}

PerfMap of_dump(const std::string& bytes) {
  return PerfMap::of_dump([&](std::uint64_t offset, std::size_t most) {
    return offset < bytes.size() ? bytes.substr(offset, most) : std::string();
  });
}

const std::string kDumpHeader = "DTiJ" + word_of(1, 4) + word_of(40, 4) + std::string(28, '\0');

TEST(JitDump, NamesWhatWasLoadedAndMoved) {
  const PerfMap map = of_dump(kDumpHeader + loaded(0x1000, 0x20, 1, "render_invoice") +
                              dumped(2, {0, 0, 0}, "of another kind") + loaded(0x2000, 0x10, 2, "stock") +
                              dumped(1, {0x1000, 0x3000, 0x20, 1}) + loaded(0x1000, 0x8, 3, "later"));
  EXPECT_EQ(map.at(0x1000), "later");
  EXPECT_EQ(map.at(0x1008), "render_invoice");
  EXPECT_EQ(map.at(0x101f), "render_invoice");
  EXPECT_EQ(map.at(0x1020), "");
  EXPECT_EQ(map.at(0x200f), "stock");
  EXPECT_EQ(map.at(0x301f), "render_invoice");
}

TEST(JitDump, WhatIsNotWholeIsNone) {
  const std::string one = loaded(0x1000, 0x20, 1, "a"), whole = kDumpHeader + one + loaded(0x2000, 0x10, 2, "b");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const PerfMap map = of_dump(whole.substr(0, size));
    if (size < kDumpHeader.size() + 57) {
      EXPECT_EQ(map.at(0x1000), "") << size;
    }
    if (size >= kDumpHeader.size() + one.size()) {
      EXPECT_EQ(map.at(0x1000), "a") << size;
    }
  }
  EXPECT_EQ(of_dump(kDumpHeader + dumped(0, {UINT64_MAX, 0x20, 1}, "a")).at(UINT64_MAX), "");
  EXPECT_EQ(of_dump(kDumpHeader + word_of(0, 4) + word_of(0, 4) + one).at(0x1000), "") << "a record without a size";
  EXPECT_EQ(of_dump("JiTD" + kDumpHeader.substr(4) + one).at(0x1000), "") << "of another machine";
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
