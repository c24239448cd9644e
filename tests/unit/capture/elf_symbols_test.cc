#include "capture/symbols/elf/elf_symbols.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <link.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "capture/host/shadow_stack_support.h"
#include "capture/symbols/function_probes.h"
#include "tests/unit/capture/elf_image.h"

namespace tailcap::capture::symbols::elf_symbols_test {
namespace {

using testing::ElfImage;
using testing::raw;

std::string symbol(std::uint32_t name, unsigned type, std::uint16_t section, std::uint64_t address,
                   std::uint64_t size) {
  Elf64_Sym s{};
  s.st_name = name;
  s.st_info = static_cast<unsigned char>(ELF64_ST_INFO(STB_GLOBAL, type));
  s.st_shndx = section;
  s.st_value = address;
  s.st_size = size;
  return raw(s);
}

// An executable with only the functions SSL_read and SSL_write, of 16 bytes each.
ElfImage with_openssl(std::uint16_t type = ET_EXEC) {
  ElfImage image(type);
  const auto text = image.add(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, std::string(64, '\x90'));
  const std::string names("\0SSL_read\0SSL_write\0", 20);
  const auto strings = image.add(".strtab", SHT_STRTAB, 0, names);
  const std::uint64_t at = image.address(text);
  image.add(".symtab", SHT_SYMTAB, 0,
            symbol(0, STT_NOTYPE, 0, 0, 0) + symbol(1, STT_FUNC, 1, at, 16) + symbol(10, STT_FUNC, 1, at + 16, 16),
            strings);
  return image;
}

constexpr std::string_view kRead[] = {"SSL_read"};

TEST(ElfFile, RefusesWhatItIsNotFor) {
  const auto message = [](std::string bytes) -> std::string {
    try {
      ElfFile::from_bytes(std::move(bytes), "/x");
      return "";
    } catch (const std::runtime_error& error) {
      return error.what();
    }
  };
  EXPECT_EQ(message(""), "/x is not an ELF file; its functions cannot be probed");
  EXPECT_EQ(message("#!/bin/sh\n"), "/x is not an ELF file; its functions cannot be probed");
  std::string other = with_openssl().bytes();
  other[EI_CLASS] = ELFCLASS32;
  EXPECT_EQ(message(other), "/x is not a 64-bit x86-64 program or library; its functions cannot be probed");
  EXPECT_EQ(message(with_openssl(ET_REL).bytes()),
            "/x is neither an executable nor a shared library; its functions cannot be probed");
  EXPECT_THROW(ElfFile::open("/nonexistent/x"), std::system_error);
  EXPECT_THROW(ElfFile::open("/tmp"), std::runtime_error);
}

TEST(ElfFile, KindsOfFiles) {
  EXPECT_EQ(ElfFile::from_bytes(with_openssl().bytes(), "x").kind(), ElfKind::executable);
  EXPECT_TRUE(ElfFile::from_bytes(with_openssl().bytes(), "x").statically_linked());
  EXPECT_EQ(ElfFile::from_bytes(with_openssl(ET_DYN).bytes(), "x").kind(), ElfKind::shared_library);
  ElfImage old_pie = with_openssl(ET_DYN);
  old_pie.segment(PT_INTERP);
  const ElfFile pie = ElfFile::from_bytes(old_pie.bytes(), "x");
  EXPECT_EQ(pie.kind(), ElfKind::pie);
  EXPECT_FALSE(pie.statically_linked());
  ElfImage static_pie = with_openssl(ET_DYN);
  const auto dynamic = static_pie.add(".dynamic", SHT_DYNAMIC, SHF_ALLOC,
                                      raw(Elf64_Dyn{DT_FLAGS_1, {DF_1_PIE}}) + raw(Elf64_Dyn{DT_NULL, {0}}));
  static_pie.segment(PT_DYNAMIC, static_pie.address(dynamic), 32);
  EXPECT_EQ(ElfFile::from_bytes(static_pie.bytes(), "x").kind(), ElfKind::pie);
  EXPECT_TRUE(ElfFile::from_bytes(static_pie.bytes(), "x").statically_linked());
}

TEST(ElfSymbols, LinkedInOpenssl) {
  const ElfFile file = ElfFile::from_bytes(with_openssl().bytes(), "x");
  EXPECT_EQ(openssl_inside(file), OpensslInside::yes);
  const auto found = find_functions(file, kRead);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "SSL_read");
  EXPECT_EQ(found[0].size, 16u);
  EXPECT_FALSE(found[0].exported);
  EXPECT_EQ(found[0].file_offset, found[0].address - ElfImage::kBase);
  // A library with the same functions is not a program that contains OpenSSL.
  EXPECT_EQ(openssl_inside(ElfFile::from_bytes(with_openssl(ET_DYN).bytes(), "x")), OpensslInside::no);
}

TEST(ElfSymbols, StrippedOpensslIsNoticed) {
  for (const std::size_t before : {std::size_t{0}, (std::size_t{1} << 20) - 5, std::size_t{3} << 20}) {
    ElfImage image;
    image.add(".rodata", SHT_PROGBITS, SHF_ALLOC, std::string(before, 'x') + "../ssl/ssl_lib.c");
    EXPECT_EQ(openssl_inside(ElfFile::from_bytes(image.bytes(), "x")), OpensslInside::stripped) << before;
  }
  EXPECT_EQ(openssl_inside(ElfFile::from_bytes(ElfImage().bytes(), "x")), OpensslInside::no);
}

TEST(ElfSymbols, WhatIsNoFunctionIsNotFound) {
  ElfImage image;
  const auto text = image.add(".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, std::string(64, '\x90'));
  const auto strings = image.add(".strtab", SHT_STRTAB, 0, std::string("\0SSL_read@@V_1\0SSL_read\0", 24));
  const std::uint64_t at = image.address(text);
  image.add(".symtab", SHT_SYMTAB, 0,
            symbol(15, STT_OBJECT, 1, at, 4) + symbol(15, STT_FUNC, SHN_UNDEF, at, 4) +
                symbol(15, STT_GNU_IFUNC, 1, at, 4) + symbol(15, STT_FUNC, 1, 0x1234, 4) +
                symbol(15, STT_FUNC, 1, at, ~0ull) + symbol(900, STT_FUNC, 1, at, 4) +
                symbol(1, STT_FUNC, 1, at + 8, 4),
            strings);
  const auto found = find_functions(ElfFile::from_bytes(image.bytes(), "x"), kRead);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].address, at + 8);
  EXPECT_EQ(found[0].version, "V_1");
  EXPECT_TRUE(found[0].default_version);
}

TEST(ElfSymbols, EveryCutAndEveryDamagedByteIsSurvived) {
  const std::string whole = with_openssl().bytes();
  std::size_t accepted = 0;
  const auto feed = [&](std::string bytes) {
    try {
      const ElfFile file = ElfFile::from_bytes(std::move(bytes), "x");
      const ProbePlacer placer(file);
      for (const auto& f : find_functions(file, kRead))
        placer.place({f.address, f.size}, {CallConvention::system_v, 3, 1});
      ++accepted;
    } catch (const std::runtime_error&) {
    }
  };
  for (std::size_t size = 0; size < whole.size(); ++size) feed(whole.substr(0, size));
  for (std::size_t i = 0; i < whole.size(); ++i) {
    for (const char value : {'\x00', '\x7f', '\xff'}) {
      std::string damaged = whole;
      damaged[i] = value;
      feed(std::move(damaged));
    }
  }
  EXPECT_GT(accepted, whole.size());
}

// The file offset of an address in a loaded library, from the segments that the loader mapped. 0: in no segment.
std::uint64_t mapped_from(const void* address) {
  struct Search {
    std::uint64_t address, offset;
  } search{reinterpret_cast<std::uint64_t>(address), 0};
  dl_iterate_phdr(
      [](dl_phdr_info* object, std::size_t, void* data) {
        auto& s = *static_cast<Search*>(data);
        for (std::size_t i = 0; i < object->dlpi_phnum; ++i) {
          const auto& segment = object->dlpi_phdr[i];
          const std::uint64_t begin = object->dlpi_addr + segment.p_vaddr;
          if (segment.p_type != PT_LOAD || s.address < begin || s.address >= begin + segment.p_filesz) continue;
          s.offset = segment.p_offset + (s.address - begin);
        }
        return 0;
      },
      &search);
  return search.offset;
}

// Compares a library as the loader mapped it with what was read from its file. Bytes in memory are not compared: a
// recorder on this machine may have breakpoints in them.
class RealLibrary : public ::testing::Test {
 protected:
  static void compare(const char* library, std::span<const std::string_view> names, const std::string& version_prefix) {
    void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (!handle) GTEST_SKIP() << library << " is not installed";
    struct link_map* map = nullptr;
    ASSERT_EQ(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
    const ElfFile file = ElfFile::open(map->l_name);
    EXPECT_EQ(file.kind(), ElfKind::shared_library);
    EXPECT_EQ(openssl_inside(file), OpensslInside::no);
    const ProbePlacer placer(file);
    for (const std::string_view name : names) {
      const std::string_view one[] = {name};
      const auto found = find_functions(file, one);
      ASSERT_EQ(found.size(), 1u) << name;
      const char* loaded = static_cast<const char*>(dlsym(handle, std::string(name).c_str()));
      EXPECT_EQ(found[0].address + map->l_addr, reinterpret_cast<std::uint64_t>(loaded)) << name;
      EXPECT_EQ(found[0].file_offset, mapped_from(loaded)) << name;
      std::string bytes(found[0].size, '\0');
      std::ifstream disk(map->l_name, std::ios::binary);
      ASSERT_TRUE(disk.seekg(static_cast<std::streamoff>(mapped_from(loaded)))
                      .read(bytes.data(), static_cast<std::streamsize>(bytes.size())));
      EXPECT_EQ(file.read(found[0].file_offset, found[0].size, 1u << 20), bytes) << name;
      EXPECT_TRUE(found[0].version.starts_with(version_prefix)) << found[0].version;
      EXPECT_TRUE(found[0].default_version);
      const FunctionProbes probes = placer.place({found[0].address, found[0].size}, {CallConvention::system_v, 3, 1});
      ASSERT_TRUE(probes.entry.place) << name;
      // In these two only a call is emulated, and a call is the last choice where there are shadow stacks.
      const Price price = name.ends_with("_ex") && kernel_has_shadow_stacks() ? Price::single_stepped : Price::emulated;
      EXPECT_EQ(probes.entry.place->price, price) << name << ": " << probes.entry.place->instruction;
      EXPECT_FALSE(probes.entry.may_repeat) << name;
      EXPECT_EQ(placer.file_offset(*probes.entry.place) - found[0].file_offset,
                probes.entry.place->address - found[0].address);
      // The same function is found by the exception tables alone.
      const FunctionProbes again = placer.place({found[0].address, 0}, {CallConvention::system_v, 3, 1});
      EXPECT_EQ(again.entry.place, probes.entry.place) << name;
      EXPECT_EQ(again.results.places, probes.results.places) << name;
    }
  }
};

TEST_F(RealLibrary, Openssl) {
  static constexpr std::string_view kNames[] = {"SSL_read",     "SSL_write",        "SSL_read_ex",
                                                "SSL_write_ex", "SSL_do_handshake", "SSL_shutdown"};
  compare("libssl.so.3", kNames, "OPENSSL_3.");
}

TEST_F(RealLibrary, Gnutls) {
  static constexpr std::string_view kNames[] = {"gnutls_record_send", "gnutls_record_recv", "gnutls_handshake"};
  compare("libgnutls.so.30", kNames, "GNUTLS_3_");
}

TEST_F(RealLibrary, ImportsAndFunctionsThatNeverReturn) {
  void* handle = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);
  if (!handle) GTEST_SKIP() << "libssl.so.3 is not installed";
  struct link_map* map = nullptr;
  ASSERT_EQ(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
  const ElfFile file = ElfFile::open(map->l_name);
  const auto stubs = import_stubs(file);
  EXPECT_GT(stubs.size(), 100u);
  EXPECT_TRUE(std::any_of(stubs.begin(), stubs.end(), [](const auto& s) { return s.name == "BIO_read"; }));
  EXPECT_FALSE(functions_that_never_return(file).empty());
}

TEST(ElfSymbols, ThisProgram) {
  const ElfFile file = ElfFile::open("/proc/self/exe");
  EXPECT_NE(file.kind(), ElfKind::shared_library);
  static constexpr std::string_view kMain[] = {"main"};
  EXPECT_EQ(find_functions(file, kMain).size(), 1u);
}

}  // namespace
}  // namespace tailcap::capture::symbols::elf_symbols_test
