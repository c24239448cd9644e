// Which functions of libraries allocate, and where their probes go, in the library of C that this test itself runs.
#include "capture/allocations/malloc_functions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "bpf/event.h"

namespace tailcap::capture {
namespace {

// The path of a file that this process maps; empty: none.
std::string mapped_file(const std::string& beginning) {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const auto slash = line.rfind('/');
    if (slash != line.npos && line.compare(slash + 1, beginning.size(), beginning) == 0)
      return line.substr(line.find('/'));
  }
  return {};
}

TEST(MallocFunctions, NamesOfLibraries) {
  for (const char* name : {"libc.so.6", "libc.so", "libc-2.31.so", "libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1",
                           "libjemalloc.so.2", "libtcmalloc_minimal.so.4", "libmimalloc.so.2.0"})
    EXPECT_TRUE(is_malloc_library(name)) << name;
  for (const char* name : {"libcrypto.so.3", "libcap.so.2", "libc++.so.1", "libm.so.6", "ld-linux-x86-64.so.2", ""})
    EXPECT_FALSE(is_malloc_library(name)) << name;
}

TEST(MallocFunctions, LibraryOfC) {
  const std::string path = mapped_file("libc.so");
  if (path.empty()) GTEST_SKIP() << "this test has the library of C inside";
  const auto functions = plan_mallocs(symbols::ElfFile::open(path), "libc.so.6");
  std::set<std::uint64_t> places;
  for (const auto& function : functions) {
    ASSERT_EQ(function.places.size(), 1u) << function.name << ": " << function.reason;
    const FunctionProbe& probe = function.places[0].probe;
    EXPECT_EQ(probe.program, FunctionProgram::malloc_call);
    EXPECT_NE(probe.cookie & MALLOC_RELAYS, 0u) << function.name;
    EXPECT_TRUE(places.insert(probe.offset).second) << function.name << " has a place of another one";
  }
  for (const auto& [name, act] : {std::pair{"malloc", bpf::MALLOC_SIZE},
                                  {"calloc", bpf::MALLOC_PRODUCT},
                                  {"realloc", bpf::MALLOC_MOVES},
                                  {"aligned_alloc", bpf::MALLOC_ALIGNED},
                                  {"posix_memalign", bpf::MALLOC_ALIGNED_TO}}) {
    const auto found = std::find_if(functions.begin(), functions.end(), [&](const auto& f) { return f.name == name; });
    ASSERT_NE(found, functions.end()) << name;
    EXPECT_EQ(MALLOC_COOKIE_ACT(found->places[0].probe.cookie), static_cast<std::uint64_t>(act)) << name;
  }
}

TEST(MallocFunctions, FilesWithoutThem) {
  const std::string path = mapped_file("libm.so");
  if (path.empty()) GTEST_SKIP() << "this test does not use the library of mathematics";
  EXPECT_TRUE(plan_mallocs(symbols::ElfFile::open(path), "libm.so.6").empty());
}

}  // namespace
}  // namespace tailcap::capture
