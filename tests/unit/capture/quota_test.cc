// CPU quotas: where they are found, and what a running kernel reports.
#include "capture/host/quota.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

namespace tailcap::capture {
namespace {

TEST(Quota, FindsBothHierarchies) {
  const auto mounts = parse_cgroup_mounts(
      "24 1 0:22 / /sys rw - sysfs sysfs rw\n"
      "30 24 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
      "31 24 0:27 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
      "32 24 0:28 /part /elsewhere rw - cgroup2 cgroup rw\n"
      "33 24 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup rw\nbroken\n30 24 0:26");
  EXPECT_EQ(mounts.unified, "/sys/fs/cgroup/unified");
  EXPECT_EQ(mounts.cpu, "/sys/fs/cgroup/cpu,cpuacct");
}

TEST(Quota, FindsWhereAProcessIs) {
  const auto paths = parse_cgroup_paths("12:cpuset:/a\n11:cpu,cpuacct:/b/c\n0::/d:e\nx\n1:cpu\n");
  EXPECT_EQ(paths.cpu, "/b/c");
  EXPECT_EQ(paths.unified, "/d:e");
  EXPECT_EQ(parse_cgroup_paths("0::/../x").unified, "");
}

TEST(CgroupPaths, TheTellingOneNamesTheContainer) {
  const std::string container = "/kubepods/cri-containerd-" + std::string(64, 'a') + ".scope";
  const auto tells = [](const std::string& text) { return telling(parse_cgroup_paths(text)); };
  EXPECT_EQ(tells("3:cpu,cpuacct:/\n0::" + container + "\n"), container);
  EXPECT_EQ(tells("3:cpu,cpuacct:" + container + "\n0::/\n"), container);
  EXPECT_EQ(tells("3:cpu,cpuacct:/user.slice\n0::" + container + "\n"), container);
  EXPECT_EQ(tells("3:cpu,cpuacct:/a\n0::/b\n"), "/a");
  EXPECT_EQ(tells("3:cpu,cpuacct:/\n0::/b\n"), "/b");
  EXPECT_EQ(tells("3:cpu,cpuacct:/\n1:name=systemd:/system.slice/shop.service\n0::/\n"), "/system.slice/shop.service");
  EXPECT_EQ(tells("3:cpu,cpuacct:/\n0::/\n"), "/");
  EXPECT_EQ(tells("0::/\n"), "/");
  EXPECT_EQ(tells(""), "");
}

TEST(Quota, ReadsWhatWasSet) {
  std::ifstream info("/proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(info), std::istreambuf_iterator<char>()};
  const std::string mount = parse_cgroup_mounts(text).cpu;
  if (mount.empty() || geteuid() != 0) GTEST_SKIP() << "needs root and the cpu controller of cgroup v1";
  const std::string folder = mount + "/tailcap-quota-" + std::to_string(getpid());
  ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
  std::ofstream(folder + "/cpu.cfs_period_us") << 50000 << std::flush;
  std::ofstream(folder + "/cpu.cfs_quota_us") << 20000 << std::flush;
  CgroupPaths home;
  {
    std::ifstream own("/proc/self/cgroup");
    home = parse_cgroup_paths(std::string{std::istreambuf_iterator<char>(own), std::istreambuf_iterator<char>()});
  }
  std::ofstream(folder + "/cgroup.procs") << getpid() << std::flush;
  Quotas quotas;
  const auto found = quotas.read(static_cast<std::uint32_t>(getpid()));
  const auto again = quotas.read(static_cast<std::uint32_t>(getpid()));
  std::ofstream(mount + home.cpu + "/cgroup.procs") << getpid() << std::flush;
  EXPECT_EQ(rmdir(folder.c_str()), 0);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found[0].cgroup, "/tailcap-quota-" + std::to_string(getpid()));
  EXPECT_EQ(found[0].period, 50'000'000);
  EXPECT_EQ(found[0].quota, 20'000'000);
  EXPECT_TRUE(again.empty());  // read once per round
}

}  // namespace
}  // namespace tailcap::capture
