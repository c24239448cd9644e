// Lines and inlined functions of a program that the compiler of this machine makes.
#include "capture/symbols/source/source_lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "capture/symbols/elf/elf_symbols.h"

namespace tailcap::capture::symbols {
namespace {

constexpr const char* kSource = R"(volatile int sink;
static inline __attribute__((always_inline)) void inner(int n) {
  sink += n;
}
static inline __attribute__((always_inline)) void middle(int n) {
  inner(n);
}
__attribute__((noinline)) void outer(int n) {
  middle(n);
}
int main(void) { outer(1); return 0; }
)";

class SourceLinesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/tailcap-lines-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
    std::ofstream(folder_ + "/shop.c") << kSource;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  // Empty: there is no compiler.
  std::string build(const std::string& options) {
    const std::string out = folder_ + "/shop";
    const std::string command = "cd " + folder_ + " && cc " + options + " -o shop shop.c 2>/dev/null";
    return std::system(command.c_str()) == 0 ? out : std::string();
  }
  // "inner shop.c:3, middle shop.c:6, - shop.c:9" of each byte of the function, without repetitions.
  static std::vector<std::string> told(const SourceLines& lines, const FunctionSymbol& function) {
    std::vector<std::string> out;
    for (std::uint64_t at = function.address; at < function.address + function.size; ++at) {
      std::string text;
      for (const SourceFrame& frame : lines.at(at)) {
        text += text.empty() ? "" : ", ";
        text += (frame.function.empty() ? "-" : std::string(frame.function)) + " " + std::string(frame.file) + ":" +
                std::to_string(frame.line);
      }
      if (out.empty() || out.back() != text) out.push_back(text);
    }
    return out;
  }

  std::string folder_;
};

TEST_F(SourceLinesTest, FunctionsInTheirCallers) {
  for (const char* options : {"-O2 -g", "-O2 -gdwarf-4", "-O1 -g -gz"}) {
    const std::string path = build(options);
    if (path.empty()) GTEST_SKIP() << "no compiler";
    const auto file = ElfFile::open(path);
    const SourceLines lines = SourceFile(ElfFile::open(path)).lines();
    constexpr std::string_view kOuter = "outer";
    const auto functions = find_functions(file, {&kOuter, 1});
    ASSERT_EQ(functions.size(), 1u);
    const auto texts = told(lines, functions[0]);
    EXPECT_NE(std::find(texts.begin(), texts.end(), "inner shop.c:3, middle shop.c:6, - shop.c:9"), texts.end())
        << options << ": " << ::testing::PrintToString(texts);
    for (const std::string& text : texts) {
      EXPECT_NE(text, "") << options;
      EXPECT_EQ(text.find(":0"), text.npos) << text;
    }
    EXPECT_TRUE(lines.at(functions[0].address + 0x10000000).empty());
    EXPECT_TRUE(lines.at(0).empty());
    // The same from another process.
    scan::Encoder out;
    lines.encode(out);
    scan::Decoder in(out.bytes());
    const SourceLines again = SourceLines::decode(in);
    ASSERT_TRUE(in.done());
    EXPECT_EQ(told(again, functions[0]), texts);
  }
}

TEST_F(SourceLinesTest, OnlyOfTheUnitsThatAreAskedFor) {
  std::ofstream(folder_ + "/cart.c") << "volatile int items;\nvoid cart(void) {\n  ++items;\n}\n";
  for (const char* options : {"-O2 -g cart.c", "-O2 -g -gdwarf-4 -ffunction-sections cart.c", "-O1 -g -gz cart.c"}) {
    const std::string path = build(options);
    if (path.empty()) GTEST_SKIP() << "no compiler";
    const auto file = ElfFile::open(path);
    const SourceFile open(ElfFile::open(path));
    const SourceLines all = open.lines();
    constexpr std::string_view kNames[] = {"outer", "main", "cart"};
    std::map<std::string, FunctionSymbol> functions;
    for (const auto& function : find_functions(file, kNames)) functions[function.name] = function;
    ASSERT_EQ(functions.size(), 3u) << options;
    for (const auto& [asked, others] :
         std::map<std::string, std::vector<std::string>>{{"outer", {"cart"}}, {"cart", {"outer", "main"}}}) {
      const std::uint64_t address = functions[asked].address;
      const SourceLines some = open.lines({&address, 1});
      scan::Encoder out;
      some.encode(out);
      scan::Decoder in(out.bytes());
      const SourceLines again = SourceLines::decode(in);
      ASSERT_TRUE(in.done());
      for (const SourceLines* lines : {&some, &again}) {
        EXPECT_TRUE(lines->covers(address));
        EXPECT_EQ(told(*lines, functions[asked]), told(all, functions[asked])) << options;
        for (const auto& other : others) {
          EXPECT_FALSE(lines->covers(functions[other].address)) << options << " " << asked << " " << other;
          EXPECT_EQ(told(*lines, functions[other]), std::vector<std::string>{""}) << options;
        }
        EXPECT_TRUE(lines->covers(0)) << "no unit has code there";
        EXPECT_TRUE(lines->covers(functions[asked].address + 0x10000000));
      }
      EXPECT_TRUE(all.covers(address));
    }
    // Each alone, then both: the same as all.
    const std::uint64_t both[] = {functions["cart"].address, functions["outer"].address};
    const SourceLines two = open.lines(both);
    for (const auto& [name, function] : functions) {
      EXPECT_TRUE(two.covers(function.address)) << name;
      EXPECT_EQ(told(two, function), told(all, function)) << name;
    }
  }
}

TEST_F(SourceLinesTest, NothingWhereThereIsNothingOrTooMuch) {
  const std::string path = build("-O2 -g0");
  if (path.empty()) GTEST_SKIP() << "no compiler";
  EXPECT_TRUE(SourceFile(ElfFile::open(path)).lines().empty());
  const std::string debug = build("-O2 -g");
  EXPECT_FALSE(SourceFile(ElfFile::open(debug)).lines().empty());
  EXPECT_TRUE(SourceFile(ElfFile::open(debug), 10).lines().empty());
}

TEST_F(SourceLinesTest, DamagedFilesEndNothing) {
  const std::string path = build("-O2 -g");
  if (path.empty()) GTEST_SKIP() << "no compiler";
  std::ifstream stream(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(stream)), {});
  std::uint32_t seed = 1;
  for (int round = 0; round < 200; ++round) {
    std::string bytes = whole;
    for (int i = 0; i < 20; ++i) {
      seed = seed * 1664525 + 1013904223;
      bytes[4096 + seed % (bytes.size() - 4096)] ^= static_cast<char>(seed >> 24);
    }
    const std::string damaged = folder_ + "/damaged";
    std::ofstream(damaged, std::ios::binary) << bytes;
    try {
      const SourceFile file(ElfFile::open(damaged));
      const std::uint64_t address = 0x1139;
      for (const SourceLines& lines : {file.lines(), file.lines({&address, 1})}) {
        scan::Encoder out;
        lines.encode(out);
        scan::Decoder in(out.bytes());
        (void)SourceLines::decode(in);
        EXPECT_TRUE(in.done()) << "what is written can be read";
      }
    } catch (const std::exception&) {
    }
  }
}

TEST(SourceLinesAnswer, IsChecked) {
  scan::Encoder out;
  SourceLines().encode(out);
  std::string bytes = out.take();
  for (std::size_t i = 0; i + 1 < bytes.size(); ++i) {
    scan::Decoder in(std::string_view(bytes).substr(0, i));
    (void)SourceLines::decode(in);
    EXPECT_FALSE(in.done());
  }
  // A row whose file is no text.
  scan::Encoder bad;
  const std::uint64_t row[] = {0x1000, 5 | std::uint64_t{1} << 32};
  bad.text({reinterpret_cast<const char*>(row), sizeof row});
  bad.text("");
  bad.text("");
  bad.text("");
  bad.text(std::string_view("\0", 1));
  scan::Decoder in(bad.bytes());
  EXPECT_TRUE(SourceLines::decode(in).empty());
  EXPECT_FALSE(in.done());
}

}  // namespace
}  // namespace tailcap::capture::symbols
