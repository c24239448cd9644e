#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "capture/stacks/scripts/hotspot.h"
#include "capture/stacks/scripts/ruby.h"
#include "capture/stacks/scripts/script_codes.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::stacks {

namespace {

bpf::script_text bytes_of(const std::string& bytes) {
  bpf::script_text text{};
  if (bytes.empty()) return text;
  text.characters = static_cast<std::uint32_t>(bytes.size());
  text.size = static_cast<std::uint16_t>(std::min<std::size_t>(bytes.size(), SCRIPT_TEXT));
  text.width = 1;
  text.utf8 = 1;
  std::memcpy(text.words, bytes.data(), text.size);
  return text;
}

std::string frame_of(bpf::script_language language, const std::string& scope, const std::string& name,
                     const std::string& file, std::uint32_t line) {
  bpf::record_script_code r{};
  r.code = 0x200;
  r.language = language;
  r.first_line = line;
  r.name = bytes_of(name);
  r.file = bytes_of(file);
  r.scope = bytes_of(scope);
  ScriptCodes codes;
  return codes.take({reinterpret_cast<const std::byte*>(&r), sizeof r}) ? *codes.name(0x200) : "(not valid)";
}

TEST(ScriptCodes, OfRuby) {
  const auto ruby = [](const std::string& name, const std::string& file, std::uint32_t line) {
    return frame_of(bpf::SCRIPT_RUBY, "", name, file, line);
  };
  EXPECT_EQ(ruby("render", "/srv/svc.rb", 5), "render (svc.rb:5)");
  EXPECT_EQ(ruby("<main>", "svc.rb", 0), "<main> (svc.rb:1)");
  EXPECT_EQ(ruby("block (2 levels) in <class:Cart>", "/srv/svc.rb", 7), "block (2 levels) in <class:Cart> (svc.rb:7)");
  EXPECT_EQ(ruby("f", "(eval)", 1), "f ([eval]:1)");
  EXPECT_EQ(ruby("times", "", 0), "times") << "Ruby has it in C";
  EXPECT_EQ(ruby("", "", 0), "[C function]");
}

TEST(ScriptCodes, OfJava) {
  const auto java = [](const std::string& scope, const std::string& name, std::uint32_t line) {
    return frame_of(bpf::SCRIPT_HOTSPOT, scope, name, "Cart.java", line);
  };
  EXPECT_EQ(java("com/shop/Cart", "show", 15), "com.shop.Cart.show (Cart.java:15)");
  EXPECT_EQ(java("Cart$Line", "<init>", 15), "Cart$Line.<init> (Cart.java:15)");
  EXPECT_EQ(java("com/shop/Cart", "show", 0), "com.shop.Cart.show") << "its class has no lines";
  const std::string package = std::string(90, 'p') + "/";
  EXPECT_EQ(java(package + "Cart", "show", 15), "Cart.show (Cart.java:15)");
}

TEST(RubyVersions, OnlyThoseWhoseStructuresWereSeenAreRead) {
  const auto program = [](std::uint32_t major, std::uint32_t minor, std::uint64_t machine, std::uint64_t interpreter) {
    scan::Encoder out;
    out.number(major);
    out.number(minor);
    for (const std::uint64_t number : {machine, std::uint64_t{0x2000}, interpreter, std::uint64_t{0x100}, interpreter})
      out.number(number);
    scan::Decoder in(out.bytes());
    symbols::ScriptPrograms programs;
    programs.ruby = symbols::RubyProgram::decode(in);
    EXPECT_TRUE(in.done());
    return programs;
  };
  const auto process = kRubyLanguage.process(program(3, 1, 0x1000, 0x3000), 0x10000);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->ruby.machine, 0x11000u);
  EXPECT_EQ(process->ruby.interpreter, 0x13000u);
  EXPECT_TRUE(kRubyLanguage.process(program(2, 7, 0x1000, 0x3000), 0));
  const auto later = kRubyLanguage.process(program(3, 3, 0x1000, 0x3000), 0);
  ASSERT_TRUE(later);
  EXPECT_EQ(later->ruby.layout.thread_native, 40);
  for (const auto& other : {program(3, 0, 0x1000, 0x3000), program(3, 2, 0x1000, 0x3000), program(3, 1, 0, 0x3000),
                            program(3, 1, 0x1000, 0)})
    EXPECT_FALSE(kRubyLanguage.process(other, 0));
  EXPECT_EQ(kRubyLanguage.version(program(3, 2, 0, 0), ""), "Ruby 3.2");
  EXPECT_EQ(kRubyLanguage.version(program(3, 1, 0, 0), ""), "Ruby 3.1 of an unusual build");
  const auto programs = program(3, 1, 0x1000, 0x3000);
  EXPECT_TRUE(kRubyLanguage.executes(programs, 0x3000));
  EXPECT_TRUE(kRubyLanguage.executes(programs, 0x30ff));
  EXPECT_FALSE(kRubyLanguage.executes(programs, 0x3100));
  EXPECT_FALSE(kRubyLanguage.executes(programs, 0x2fff));
}

TEST(JavaVersions, OnlyThoseThatSayAllAreRead) {
  const auto program = [](std::uint32_t version, std::uint64_t heaps, std::uint32_t unsaid, std::uint16_t ways = 0) {
    scan::Encoder out;
    out.number(version);
    out.number(ways);
    for (const std::uint64_t number :
         {std::uint64_t{0x1000}, heaps, std::uint64_t{16}, std::uint64_t{48}, std::uint64_t{72}})
      out.number(number);
    for (std::uint32_t i = 0; i < bpf::HOTSPOT_FIELDS; ++i) {
      out.number(i != unsaid);
      out.number(static_cast<std::uint16_t>(i + 5));
    }
    scan::Decoder in(out.bytes());
    symbols::ScriptPrograms programs;
    programs.hotspot = symbols::HotspotProgram::decode(in);
    EXPECT_TRUE(in.done());
    return programs;
  };
  const auto process = kHotspotLanguage.process(program(17, 0x2000, bpf::HOTSPOT_FIELDS), 0x10000);
  ASSERT_TRUE(process);
  EXPECT_EQ(process->hotspot.table, 0x11000u);
  EXPECT_EQ(process->hotspot.heaps, 0x12000u);
  EXPECT_EQ(process->hotspot.entries[3], 8);
  for (std::uint32_t unsaid = 0; unsaid < bpf::HOTSPOT_FIELDS; ++unsaid)
    EXPECT_FALSE(kHotspotLanguage.process(program(17, 0x2000, unsaid), 0)) << unsaid;
  EXPECT_FALSE(kHotspotLanguage.process(program(17, 0, bpf::HOTSPOT_FIELDS), 0));
  EXPECT_FALSE(kHotspotLanguage.process(program(20, 0x2000, bpf::HOTSPOT_FIELDS), 0));
  EXPECT_EQ(kHotspotLanguage.version(program(20, 0x2000, 0), ""), "Java 20");
}

TEST(JavaVersions, EachHasToSayWhereItsFieldsAre) {
  const auto process = [](std::uint32_t version, std::uint16_t ways) {
    scan::Encoder out;
    out.number(version);
    out.number(ways);
    for (const std::uint64_t number : {0x1000, 0x2000, 16, 48, 72}) out.number(number);
    for (std::uint16_t i = 0; i < bpf::HOTSPOT_FIELDS; ++i) {
      out.number(true);
      out.number(i);
    }
    scan::Decoder in(out.bytes());
    symbols::ScriptPrograms programs;
    programs.hotspot = symbols::HotspotProgram::decode(in);
    EXPECT_TRUE(in.done());
    return kHotspotLanguage.process(programs, 0);
  };
  constexpr std::uint16_t kOfNone = HOTSPOT_FILE_IN_CLASS | HOTSPOT_CODE_BY_OFFSET;
  const std::pair<std::uint32_t, std::uint16_t> versions[] = {
      {11, HOTSPOT_FILE_IN_CLASS}, {17, 0}, {21, 0}, {25, HOTSPOT_CODE_BY_OFFSET}};
  for (const auto& [version, ways] : versions) {
    ASSERT_TRUE(process(version, ways)) << version;
    EXPECT_EQ(process(version, ways)->hotspot.ways & kOfNone, ways) << version;
    EXPECT_FALSE(process(version, kOfNone)) << version;
    EXPECT_FALSE(process(version, static_cast<std::uint16_t>(ways ^ HOTSPOT_FILE_IN_CLASS))) << version;
  }
  EXPECT_EQ(process(17, 0)->hotspot.ways & HOTSPOT_LINES_FROM_ONE, 0);
  EXPECT_NE(process(21, 0)->hotspot.ways & HOTSPOT_LINES_FROM_ONE, 0);
}

}  // namespace

}  // namespace tailcap::capture::stacks
