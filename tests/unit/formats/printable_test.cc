#include "formats/printable.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "formats/utf8.h"

namespace tailcap::formats {
namespace {

TEST(Printable, ShowsWhatWouldActOnATerminal) {
  EXPECT_EQ(printable("/users/7?x=1"), "/users/7?x=1");
  EXPECT_EQ(printable("\x1b[2J\r\n\t\x7f"), "\\x1b[2J\\x0d\\x0a\\x09\\x7f");
  EXPECT_EQ(printable(std::string_view("a\0b", 3)), "a\\x00b");
  EXPECT_EQ(printable("a\\x1b"), "a\\\\x1b");         // must differ from an escaped control character
  EXPECT_EQ(printable("\xc2\x9b"), "\\u{009b}");      // CSI
  EXPECT_EQ(printable("\xe2\x80\xae"), "\\u{202e}");  // right-to-left override
  EXPECT_EQ(printable("größe µ 漢"), "größe µ 漢");
}

TEST(Printable, IsAlwaysValidUtf8) {
  EXPECT_EQ(printable("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(printable("\x9b"
                      "31m"),
            "\\x9b"
            "31m");                                                  // CSI as a bare byte
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong '/'
  EXPECT_EQ(printable("\xe0\x80\xaf"), "\\xe0\\x80\\xaf");           // overlong
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // above 10FFFF
  EXPECT_EQ(printable("\xe2\x82"), "\\xe2\\x82");                    // cut
}

// Every control character, bidirectional character and separator of Unicode, by its number.
TEST(Printable, EveryMisleadingCharacterIsEscaped) {
  const auto utf8 = [](char32_t c) {
    std::string s;
    if (c < 0x80)
      s = {static_cast<char>(c)};
    else if (c < 0x800)
      s = {static_cast<char>(0xc0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    else
      s = {static_cast<char>(0xe0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
           static_cast<char>(0x80 | (c & 63))};
    return s;
  };
  std::vector<char32_t> all = {0x7f,   0x61c,  0x200b, 0x200c, 0x200d, 0x200e, 0x200f,
                               0x2028, 0x2029, 0x2060, 0xfeff, 0xfff9, 0xfffe, 0xffff};
  for (char32_t c = 0; c < 0x20; ++c) all.push_back(c);
  for (char32_t c = 0x80; c < 0xa0; ++c) all.push_back(c);
  for (char32_t c = 0x202a; c <= 0x202e; ++c) all.push_back(c);
  for (char32_t c = 0x2066; c <= 0x2069; ++c) all.push_back(c);
  for (const char32_t c : all) {
    const std::string text = utf8(c);
    EXPECT_EQ(first_character(text).code, c);
    EXPECT_TRUE(misleading(c)) << std::hex << static_cast<unsigned>(c);
    EXPECT_EQ(printable(text).find(text), std::string::npos) << std::hex << static_cast<unsigned>(c);
    EXPECT_EQ(printable_message(text), c == '\n' ? text : printable(text));
    EXPECT_EQ(printable_json("\"" + text + "\"").find(text), c == '\n' ? 1 : std::string::npos);
    if (c != '\n') {
      EXPECT_EQ(nlohmann::json::parse(printable_json("\"" + text + "\"")).get<std::string>(), text);
    }
  }
}

TEST(Printable, MessagesKeepTheirLinesAndBackslashes) {
  EXPECT_EQ(printable_message("in \\x1b: a\n  b\x1b\xff"), "in \\x1b: a\n  b\\x1b\\xff");
}

TEST(Printable, JsonKeepsItsValues) {
  const std::string value = "a\u009b\u202e\U000e0041\u00fc漢";
  const std::string json = printable_json("{\n  \"x\": \"" + value + "\"\n}");
  EXPECT_EQ(json, "{\n  \"x\": \"a\\u009b\\u202e\\udb40\\udc41\u00fc漢\"\n}");
  EXPECT_EQ(nlohmann::json::parse(json)["x"].get<std::string>(), value);
  EXPECT_EQ(printable_json("\"\xff\""), "\"\ufffd\"");
}

}  // namespace
}  // namespace tailcap::formats
