#include "capture/stacks/scripts/python_lines.h"

#include <gtest/gtest.h>

#include <charconv>
#include <string>
#include <vector>

namespace tailcap::capture::stacks {

namespace {

// What CPython says of this function: its table, and the line of each two bytes of its code (0: none).
//
//   1  def f(a):
//   2      b = a
//   3
//   4      for i in range(3):
//   5          b += (i *
//   6                a)
//   7      try:
//   8          b = b // a
//   9      except ZeroDivisionError:
//  10          b = 0
//  11      return [x for x in (b,)]
struct OfVersion {
  const char* version;
  bpf::script_lines form;
  std::uint32_t code_bytes;
  const char* table;
  std::vector<std::uint32_t> lines;
};
const std::vector<OfVersion> kVersions = {
    {"3.8.18",
     bpf::SCRIPT_LINES_DELTAS,
     84,
     "000104020c01040102ff080202010c010e010a01",
     {2, 2, 4, 4, 4, 4, 4, 4, 5,  5,  6,  5,  5,  5,  5,  7,  8,  8,  8,  8,  8,
      8, 9, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11}},
    {"3.9.18",
     bpf::SCRIPT_LINES_DELTAS,
     82,
     "000104020c01040102ff080202010c010c010a01",
     {2, 2, 4, 4, 4, 4, 4, 4,  5,  5,  6,  5,  5,  5,  5,  7,  8,  8,  8,  8, 8,
      8, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 10, 11, 11, 11, 11, 11, 11, 11, 11}},
    {"3.10.13",
     bpf::SCRIPT_LINES_RANGES,
     82,
     "04010c020401020108ff02020c010c01080102ff1002",
     {2, 2, 4, 4, 4, 4, 4, 4,  5,  5,  6,  5, 5,  5,  5,  7,  8,  8,  8,  8, 8,
      8, 9, 9, 9, 9, 9, 9, 10, 10, 10, 10, 9, 11, 11, 11, 11, 11, 11, 11, 11}},
    {"3.11.7",
     bpf::SCRIPT_LINES_LOCATIONS,
     134,
     "8000d808098041e50d12903189588c58f000020511f0000205118801d808098861d80e0ff103010f10f1000109"
     "1188018801f00403050ed80c0d9011894688018801f8dd0b1cf00001050ef00001050ef00001050ed80c0d8801"
     "88018801f00301050ef8f8f8e00b1cd00b1c98019074d00b1cd10b1cd40b1cd0041c",
     {1,  2,  2,  4,  4, 4, 4, 4, 4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  4,  5, 5, 6,
      5,  5,  5,  5,  5, 5, 7, 8, 8,  8,  8,  8,  8,  0,  9,  9,  9,  9,  9,  9,  9, 9, 9,
      10, 10, 10, 10, 9, 0, 0, 0, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11}},
    {"3.12.1",
     bpf::SCRIPT_LINES_LOCATIONS,
     144,
     "8000d808098041e40d1290318b58f2000205118801d808098861d80e0ff103010f10f1000109118901f0030205"
     "11f00603050ed80c0d901189468801f00600191a9074d60b1c90218a41d20b1cd0041cf8f405000c1df2000105"
     "0ed80c0d8a01f00301050efce20b1c",
     {1,  2,  2, 4, 4, 4, 4, 4, 4, 4,  4,  4,  4,  4,  4,  4,  4,  5,  5,  6,  5,  5,  5,  5,
      5,  5,  4, 7, 8, 8, 8, 8, 8, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
      11, 11, 0, 9, 9, 9, 9, 9, 9, 9,  9,  10, 10, 10, 10, 9,  0,  0,  0,  0,  0,  11, 11, 11}},
    {"3.13.0",
     bpf::SCRIPT_LINES_LOCATIONS,
     148,
     "8000d808098041e40d1290318e588801d80809d80e0ff103010f10f1000109118a01f103000e16f00603050ed8"
     "0c0d89468801f00600191a9174d30b1c917490218a419174d10b1cd0041cf8f405000c1df30001050ed80c0d8a"
     "01f00301050efce20b1c",
     {1,  2, 2, 4, 4, 4, 4, 4, 4,  4,  4,  4,  4,  4,  4,  4,  4,  5,  6,  5,  5,  5,  5,  5,  5,
      5,  4, 4, 7, 8, 8, 8, 8, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11, 11,
      11, 0, 9, 9, 9, 9, 9, 9, 9,  9,  9,  10, 10, 10, 10, 9,  0,  0,  0,  0,  0,  11, 11, 11}},
};

std::string from_hex(std::string_view digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    bytes += static_cast<char>(value);
  }
  return bytes;
}

TEST(PythonLines, AreThoseThatPythonSays) {
  for (const OfVersion& each : kVersions) {
    const std::string table = from_hex(each.table);
    const PythonLines lines{each.form, table, each.code_bytes, 1};
    ASSERT_EQ(each.lines.size() * 2, each.code_bytes) << each.version;
    for (std::uint32_t i = 0; i < each.lines.size(); ++i)
      EXPECT_EQ(python_line(lines, 2 * i).value_or(0), each.lines[i]) << each.version << " " << 2 * i;
    EXPECT_FALSE(python_line(lines, each.code_bytes)) << each.version;
    EXPECT_FALSE(python_line(lines, UINT32_MAX)) << each.version;
  }
}

TEST(PythonLines, ATableOfOtherCodeIsNotBelieved) {
  for (const OfVersion& each : kVersions) {
    const std::string table = from_hex(each.table);
    if (each.form != bpf::SCRIPT_LINES_DELTAS) {
      EXPECT_FALSE(python_line({each.form, table, each.code_bytes + 2, 1}, 4)) << each.version;
      EXPECT_FALSE(python_line({each.form, std::string_view(table).substr(0, table.size() - 2), each.code_bytes, 1}, 4))
          << each.version;
    }
    EXPECT_FALSE(python_line({each.form, table, 8, 1}, 4)) << each.version;
    EXPECT_FALSE(python_line({each.form, std::string_view(table).substr(0, 11), each.code_bytes, 1}, 4))
        << each.version;
  }
}

TEST(PythonLines, AnythingIsRead) {
  std::uint32_t random = 1;
  for (int round = 0; round < 3000; ++round) {
    std::string table;
    for (std::uint32_t i = 0; i < random % 97; ++i)
      table += static_cast<char>((random = random * 1664525 + 1013904223) >> 24);
    for (const auto form : {bpf::SCRIPT_LINES_DELTAS, bpf::SCRIPT_LINES_RANGES, bpf::SCRIPT_LINES_LOCATIONS}) {
      const auto line = python_line({form, table, random % 4096, random % 65536}, random % 4096);
      EXPECT_TRUE(!line || *line > 0);
    }
    random = random * 1664525 + 1013904223;
  }
}

}  // namespace

}  // namespace tailcap::capture::stacks
