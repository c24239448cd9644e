#include "capture/host/disks.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace tailcap::capture {
namespace {

// The kernel's own list of the same devices.
TEST(Disks, AreNamedAsTheKernelNamesThem) {
  std::ifstream partitions("/proc/partitions");
  std::size_t checked = 0;
  const auto names = disk_names();
  std::string line;
  while (std::getline(partitions, line)) {
    unsigned major = 0, minor = 0;
    unsigned long long blocks = 0;
    char name[64] = {};
    if (std::sscanf(line.c_str(), "%u %u %llu %63s", &major, &minor, &blocks, name) != 4) continue;
    const std::string number = std::to_string(major) + ":" + std::to_string(minor);
    for (const auto& [at, called] : names)
      if (at == number) {
        EXPECT_EQ(called, name);
        ++checked;
      }
  }
  if (names.empty()) GTEST_SKIP() << "this machine shows no block devices";
  EXPECT_GT(checked, 0u);
}

}  // namespace
}  // namespace tailcap::capture
