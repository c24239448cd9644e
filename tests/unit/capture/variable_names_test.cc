// Variables of a file by their addresses: names of locks, and the structures of CPython.
#include "capture/symbols/variable_names.h"

#include <elf.h>
#include <gtest/gtest.h>

#include <cstring>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "capture/symbols/scripts/python.h"
#include "tests/unit/capture/elf_image.h"

namespace tailcap::capture::symbols::variable_names_test {
namespace {

using testing::ElfImage;
using testing::raw;

struct Variable {
  std::string name;
  std::uint64_t size = 0;
  std::string bytes;
  unsigned kind = STT_OBJECT;
};

// Variables one after the other, each at a multiple of 64, behind 64 bytes of code. addresses: where they are.
std::string file_with(const std::vector<Variable>& variables, std::vector<std::uint64_t>* addresses = nullptr) {
  ElfImage image;
  image.add(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, std::string(64, '\x90'));
  std::string names(1, '\0'), symbols(sizeof(Elf64_Sym), '\0');
  for (const Variable& v : variables) {
    std::string bytes = v.bytes;
    bytes.resize(v.size + 32);
    const auto section = image.add(".data", SHT_PROGBITS, SHF_ALLOC | SHF_WRITE, bytes);
    Elf64_Sym s{};
    s.st_name = static_cast<Elf64_Word>(names.size());
    s.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_LOCAL, v.kind));
    s.st_shndx = static_cast<Elf64_Half>(section);
    s.st_value = image.address(section);
    s.st_size = v.size;
    if (addresses) addresses->push_back(s.st_value);
    names += v.name + '\0';
    symbols += raw(s);
  }
  const auto strings = image.add(".strtab", SHT_STRTAB, 0, names);
  image.add(".symtab", SHT_SYMTAB, 0, symbols, strings);
  return image.bytes();
}

TEST(VariableNames, AreThoseThatAnAddressLiesIn) {
  std::vector<std::uint64_t> at;
  const std::string bytes =
      file_with({{"cart_mutex", 40, ""}, {"_ZN4shop5stockE", 100, ""}, {"serve", 40, "", STT_FUNC}}, &at);
  const VariableNames names(ElfFile::from_bytes(bytes, "shop"));
  // As if the file were mapped from its beginning.
  const auto behind = [&](std::uint64_t address) { return names.behind(0, address - ElfImage::kBase); };
  EXPECT_EQ(behind(at[0]), "cart_mutex");
  EXPECT_EQ(behind(at[0] + 39), "cart_mutex+0x27");
  EXPECT_EQ(behind(at[0] + 40), "");
  EXPECT_EQ(behind(at[0] - 1), "");
  EXPECT_EQ(behind(at[1] + 16), "shop::stock+0x10");
  EXPECT_EQ(behind(at[2]), "") << "a function is no lock";
  EXPECT_EQ(behind(at[2] + 0x100000), "");
  EXPECT_EQ(names.behind(1 << 20, 0), "") << "no code is mapped from there";
}

TEST(VariableNames, OverThePipeTheyStayTheSame) {
  std::vector<std::uint64_t> at;
  const VariableNames names(ElfFile::from_bytes(file_with({{"cart_mutex", 40, ""}}, &at), "shop"));
  scan::Encoder out;
  names.encode(out);
  scan::Decoder in(out.bytes());
  const auto decoded = VariableNames::decode(in);
  EXPECT_TRUE(in.done());
  EXPECT_EQ(decoded.behind(0, at[0] - ElfImage::kBase), "cart_mutex");
}

std::string words(std::initializer_list<std::pair<std::size_t, std::uint64_t>> set, std::size_t count = 73) {
  std::vector<std::uint64_t> out(count);
  for (const auto& [at, value] : set) out[at] = value;
  return {reinterpret_cast<const char*>(out.data()), out.size() * sizeof out[0]};
}

PythonProgram python(std::uint64_t version, const std::string& runtime) {
  const std::string said(reinterpret_cast<const char*>(&version), sizeof version);
  return PythonProgram(ElfFile::from_bytes(file_with({{"_PyRuntime", runtime.size(), runtime},
                                                      {"Py_Version", 8, said},
                                                      {"PyCode_Type", 16, ""},
                                                      {"PyUnicode_Type", 16, ""}}),
                                           "python"));
}

constexpr std::uint64_t kCookie = 0x7970677562656478;  // "xdebugpy"

TEST(PythonProgram, SaysWhereTheFieldsOf313Are) {
  const auto program = python(0x030d05f0, words({{0, kCookie}, {1, 0x030d05f0}, {5, 632}, {18, 7760}, {37, 128}}));
  EXPECT_TRUE(program.found());
  EXPECT_EQ(program.version(), 0x030d05f0u);
  ASSERT_TRUE(program.offsets());
  EXPECT_EQ(program.offsets()->runtime_interpreters, 632u);
  EXPECT_EQ(program.offsets()->interpreter_holder, 7760u);
  EXPECT_EQ(program.offsets()->code_name, 128u);
}

TEST(PythonProgram, WhatIsNotThatOf313IsNotRead) {
  EXPECT_FALSE(python(0x030d05f0, words({{0, kCookie + 1}, {1, 0x030d05f0}})).offsets()) << "no cookie";
  EXPECT_FALSE(python(0x030d05f0, words({{0, kCookie}, {1, 0x030d04f0}})).offsets()) << "of another version";
  EXPECT_FALSE(python(0x030d05f0, words({{0, kCookie}, {1, 0x030d05f0}, {2, 1}})).offsets()) << "no global lock";
  EXPECT_FALSE(python(0x030c05f0, words({{0, kCookie}, {1, 0x030c05f0}})).offsets()) << "3.12";
}

TEST(PythonProgram, EveryCutIsSurvived) {
  const std::string whole = file_with({{"_PyRuntime", 584, words({{0, kCookie}, {1, 0x030d05f0}})},
                                       {"Py_Version", 8, std::string("\xf0\x05\x0d\x03\0\0\0\0", 8)}});
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    try {
      const ElfFile file = ElfFile::from_bytes(whole.substr(0, size), "python");
      const PythonProgram program(file);
      const VariableNames names(file);
    } catch (const std::runtime_error&) {
      // no ELF file any more
    }
  }
}

}  // namespace
}  // namespace tailcap::capture::symbols::variable_names_test
