#include "capture/symbols/go/go_binary.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "capture/symbols/function_probes.h"
#include "tests/unit/capture/elf_image.h"

namespace tailcap::capture::symbols {
namespace {

using testing::ElfImage;
using testing::raw;

const std::string kMark(16, 'x');
const std::string kModules =
    kMark +
    "path\texample.org/shop/server\nmod\texample.org/shop\tv1.4.0\th1:abc=\ndep\texample.org/"
    "db\tv1.2.3\th1:def=\n=>\t../db\t(devel)\t\n"
    "build\t-ldflags=\"-X main.apiKey=hunter2 -X main.pw=secret\"\nbuild\tCGO_CFLAGS=-DKEY=secret\n"
    "build\t-tags=prod\nbuild\tCGO_ENABLED=0\nnoted\tsecret\nsecret\n" +
    kMark;
constexpr std::string_view kFunctions[] = {"main.main", "crypto/tls.(*Conn).Read", "crypto/tls.(*Conn).Write"};

std::string build_header(char flags) {
  return std::string("\xff Go buildinf:\x08", 15) + flags + std::string(16, '\0');
}

std::string counted(const std::string& text) {
  std::string out;
  for (std::size_t left = text.size();; left >>= 7) {
    out += static_cast<char>((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
    if (left <= 0x7f) break;
  }
  return out + text;
}

// Three functions of 32 bytes with Go's prologue, and their table in one version's layout.
struct GoImage {
  ElfImage image;
  std::uint64_t text = 0, table = 0, table_size = 0;

  explicit GoImage(std::uint32_t magic, const std::string& name = ".gopclntab", bool relocated = false,
                   int functions = 3, std::uint16_t type = ET_EXEC)
      : image(type) {
    std::string code(64, '\x90');  // code that is not Go's comes first, as the system's linker places it
    for (int i = 0; i < functions; ++i) {
      std::string one("\x49\x3b\x66\x10\x76\x08\x48\x83\xec\x18\x48\x83\xc4\x18\xc3\x90\xeb\xee", 18);
      one.resize(32, '\xcc');
      code += one;
    }
    text = image.address(image.add(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code)) + 64;
    std::string names, entries, descriptions;
    const auto count = static_cast<std::uint64_t>(functions);
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto start = static_cast<std::uint32_t>(i * 32);
      entries += raw(start) + raw(static_cast<std::uint32_t>(count * 8 + 4 + descriptions.size()));
      descriptions += raw(start) + raw(static_cast<std::uint32_t>(names.size())) + std::string(32, '\0');
      names += std::string(kFunctions[i]) + '\0';
    }
    entries += raw(static_cast<std::uint32_t>(count * 32));
    const std::uint64_t names_at = 96, functions_at = names_at + names.size();
    std::string bytes = raw(magic) + std::string("\0\0\x01\x08", 4) + raw(count) + raw(std::uint64_t{1}) +
                        raw(relocated ? std::uint64_t{0} : text) + raw(names_at) + raw(functions_at) +
                        raw(functions_at) + raw(functions_at) + raw(functions_at);
    bytes.resize(names_at, '\0');
    bytes += names + entries + descriptions;
    table_size = bytes.size();
    table = image.address(image.add(name, SHT_PROGBITS, SHF_ALLOC, bytes));
    if (relocated) {
      const Elf64_Rela other{table + 8, ELF64_R_INFO(0, R_X86_64_RELATIVE), 1};
      const Elf64_Rela mine{table + 24, ELF64_R_INFO(0, R_X86_64_RELATIVE), static_cast<Elf64_Sxword>(text)};
      image.add(".rela.dyn", SHT_RELA, SHF_ALLOC, raw(other) + raw(mine));
    }
  }
  ElfFile file() const { return ElfFile::from_bytes(image.bytes(), "/srv/shop"); }
};

void expect_three(const GoImage& go) {
  const GoFunctions functions(go.file());
  EXPECT_EQ(functions.problem(), "");
  EXPECT_EQ(functions.size(), 3u);
  static constexpr std::string_view kWanted[] = {"crypto/tls.(*Conn).Write", "crypto/tls.(*Conn).Read", "no.such"};
  const auto found = functions.find(kWanted);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "crypto/tls.(*Conn).Read");
  EXPECT_EQ(found[0].address, go.text + 32);
  EXPECT_EQ(found[0].size, 32u);
  EXPECT_EQ(found[1].address, go.text + 64);
}

TEST(GoBuild, InlineStrings) {
  ElfImage image;
  image.add(".go.buildinfo", SHT_PROGBITS, SHF_ALLOC, build_header(2) + counted("go1.22.3") + counted(kModules));
  const auto build = go_build(ElfFile::from_bytes(image.bytes(), "x"));
  ASSERT_TRUE(build);
  EXPECT_EQ(build->version, "go1.22.3");
  EXPECT_EQ(build->path, "example.org/shop/server");
  EXPECT_EQ(build->module, "example.org/shop v1.4.0");
  EXPECT_EQ(
      build->lines,
      "path\texample.org/shop/server\nmod\texample.org/shop\tv1.4.0\th1:abc=\ndep\texample.org/db\tv1.2.3\th1:def=\n"
      "=>\t../db\t(devel)\t\nbuild\t-tags=prod\nbuild\tCGO_ENABLED=0")
      << "no flags of the linker or compiler, which may hold anything";
}

TEST(GoBuild, PointersAsBefore118) {
  ElfImage image;
  const auto texts = image.add(".rodata", SHT_PROGBITS, SHF_ALLOC, "go1.17.1" + kModules);
  const std::uint64_t at = image.address(texts);
  const auto headers = image.add(".data", SHT_PROGBITS, SHF_ALLOC,
                                 raw(at) + raw(std::uint64_t{8}) + raw(at + 8) + raw(std::uint64_t{kModules.size()}));
  std::string info = build_header(0);
  info.replace(16, 16, raw(image.address(headers)) + raw(image.address(headers) + 16));
  image.add(".go.buildinfo", SHT_PROGBITS, SHF_ALLOC, info);
  const auto build = go_build(ElfFile::from_bytes(image.bytes(), "x"));
  ASSERT_TRUE(build);
  EXPECT_EQ(build->version, "go1.17.1");
  EXPECT_EQ(build->module, "example.org/shop v1.4.0");
}

TEST(GoBuild, NothingIsSaidOfDamage) {
  const std::string whole = build_header(2) + counted("go1.22.3") + counted(kModules);
  for (std::size_t size = 0; size < 33 + 8; ++size) {
    ElfImage image;
    image.add(".go.buildinfo", SHT_PROGBITS, SHF_ALLOC, whole.substr(0, size));
    EXPECT_FALSE(go_build(ElfFile::from_bytes(image.bytes(), "x"))) << size;
  }
  ElfImage image;
  image.add(".go.buildinfo", SHT_PROGBITS, SHF_ALLOC, build_header(2) + counted("go1\n2"));
  EXPECT_FALSE(go_build(ElfFile::from_bytes(image.bytes(), "x")));
  EXPECT_FALSE(go_build(ElfFile::from_bytes(ElfImage().bytes(), "x")));
}

TEST(GoFunctions, BothLayouts) {
  expect_three(GoImage(0xfffffff0));
  expect_three(GoImage(0xfffffff1));
}

TEST(GoFunctions, PositionIndependent) {
  expect_three(GoImage(0xfffffff1, ".data.rel.ro.gopclntab", true, 3, ET_DYN));
  // The system's linker puts the table into a larger section.
  expect_three(GoImage(0xfffffff0, ".data.rel.ro", true, 3, ET_DYN));
}

TEST(GoFunctions, WrongStartOfCodeIsNotBelieved) {
  GoImage go(0xfffffff1);
  go.image.set(go.table + 24, raw(go.text + 4));
  const GoFunctions functions(go.file());
  EXPECT_EQ(functions.size(), 0u);
  EXPECT_EQ(functions.problem(), "/srv/shop does not say where its Go code starts");
}

TEST(GoFunctions, WhatIsNotUnderstoodIsNamed) {
  EXPECT_EQ(GoFunctions(GoImage(0xfffffffa).file()).problem(),
            "/srv/shop was built by a Go older than 1.18, whose function table is not understood");
  EXPECT_EQ(GoFunctions(GoImage(0xfffffff7).file()).problem(),
            "/srv/shop has a Go function table of an unknown layout");
  EXPECT_EQ(GoFunctions(ElfFile::from_bytes(ElfImage().bytes(), "/x")).problem(),
            "/x has no Go function table (.gopclntab): it is no Go program, or it was packed");
  GoImage many(0xfffffff1);
  many.image.set(many.table + 8, raw(std::uint64_t{1} << 61));
  EXPECT_EQ(GoFunctions(many.file()).problem(), "/srv/shop has a damaged Go function table");
}

TEST(GoFunctions, EveryDamagedByteIsSurvived) {
  const GoImage go(0xfffffff0);
  for (std::uint64_t at = go.table; at < go.table + go.table_size; ++at) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      GoImage damaged = go;
      damaged.image.set(at, std::string(1, value));
      const ElfFile file = damaged.file();
      const GoFunctions functions(file);
      for (std::size_t i = 0; i < functions.size(); ++i) {
        if (const auto f = functions.at(i)) {
          EXPECT_GT(f->size, 0u);
        }
      }
    }
  }
}

// Against the compiler itself, if installed: stripped and position-independent programs have the same functions as the
// program with symbols.
TEST(GoFunctions, RealPrograms) {
  if (std::system("go version >/dev/null 2>&1") != 0) GTEST_SKIP() << "there is no Go compiler";
  namespace fs = std::filesystem;
  std::string folder = (fs::temp_directory_path() / "tailcap-go-XXXXXX").string();
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  std::ofstream(folder + "/main.go")
      << "package main\n//go:noinline\nfunc probed(a, b int) int { println(a); return b }\n"
         "func main() { println(probed(1, 2)) }\n";
  std::ofstream(folder + "/go.mod") << "module example.org/probed\n\ngo 1.18\n";
  const auto build = [&](const std::string& options, const std::string& output) {
    return std::system(("cd " + folder + " && CGO_ENABLED=0 GOFLAGS=-mod=mod GOTOOLCHAIN=local go build " + options +
                        " -o " + output + " . >log 2>&1")
                           .c_str()) == 0;
  };
  static constexpr std::string_view kNames[] = {"main.probed"};
  for (const std::string options : {"", "-ldflags='-s -w'", "-buildmode=pie", "-buildmode=pie -ldflags='-s -w'"}) {
    ASSERT_TRUE(build(options, "program")) << options << ": see " << folder << "/log";
    const ElfFile file = ElfFile::open(folder + "/program");
    const auto information = go_build(file);
    ASSERT_TRUE(information) << options;
    EXPECT_TRUE(information->version.starts_with("go1.")) << information->version;
    EXPECT_EQ(information->path, "example.org/probed");
    EXPECT_EQ(file.kind() == ElfKind::pie, options.find("pie") != options.npos) << options;
    const GoFunctions functions(file);
    const auto found = functions.find(kNames);
    ASSERT_EQ(found.size(), 1u) << options << functions.problem();
    const auto symbols = find_functions(file, kNames);
    EXPECT_EQ(symbols.empty(), options.find("-s") != options.npos) << options;
    if (!symbols.empty()) {
      EXPECT_EQ(symbols[0].address, found[0].address);
    }
    const auto probes =
        ProbePlacer(file).place({found[0].address, found[0].size}, {CallConvention::go_registers, 2, 1});
    ASSERT_TRUE(probes.entry.place) << options;
    EXPECT_EQ(probes.entry.place->price, Price::emulated) << probes.entry.place->instruction;
    EXPECT_FALSE(probes.results.places.empty());
    EXPECT_TRUE(probes.results.complete) << probes.results.reason;
  }
  fs::remove_all(folder);
}

}  // namespace
}  // namespace tailcap::capture::symbols
