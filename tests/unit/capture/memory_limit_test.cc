// Memory limits of cgroups: what a running kernel reports, and records of refused locks.
#include "capture/log/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "bpf/event.h"
#include "capture/rings/file_lock.h"

namespace tailcap::capture {
namespace {

TEST(MemoryLimit, FindsTheController) {
  EXPECT_EQ(parse_cgroup_mounts("30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory").memory,
            "/sys/fs/cgroup/memory");
  EXPECT_EQ(parse_cgroup_paths("9:memory:/pod\n8:cpu,cpuacct:/x\n").memory, "/pod");
}

TEST(MemoryLimit, ReadsWhatWasSet) {
  std::ifstream info("/proc/self/mountinfo");
  const std::string text{std::istreambuf_iterator<char>(info), std::istreambuf_iterator<char>()};
  const std::string mount = parse_cgroup_mounts(text).memory;
  if (mount.empty() || geteuid() != 0) GTEST_SKIP() << "needs root and the memory controller of cgroup v1";
  const std::string folder = mount + "/tailcap-memory-" + std::to_string(getpid());
  ASSERT_EQ(mkdir(folder.c_str(), 0755), 0);
  std::ofstream(folder + "/memory.limit_in_bytes") << (64 << 20) << std::flush;
  CgroupPaths home;
  {
    std::ifstream own("/proc/self/cgroup");
    home = parse_cgroup_paths(std::string{std::istreambuf_iterator<char>(own), std::istreambuf_iterator<char>()});
  }
  std::ofstream(folder + "/cgroup.procs") << getpid() << std::flush;
  MemoryLimits limits;
  auto found = limits.read(static_cast<std::uint32_t>(getpid()));
  const auto again = limits.read(static_cast<std::uint32_t>(getpid()));
  const auto users = found.empty() ? std::vector<MemoryUser>() : limits.users_of(found.front());
  std::ofstream(mount + home.memory + "/cgroup.procs") << getpid() << std::flush;
  EXPECT_EQ(rmdir(folder.c_str()), 0);
  ASSERT_FALSE(found.empty());
  EXPECT_EQ(found.front().cgroup, folder.substr(mount.size()));
  EXPECT_EQ(found.front().limit, 64u << 20);
  EXPECT_EQ(found.front().reached, 0u);
  EXPECT_TRUE(again.empty()) << "once a round";
  ASSERT_EQ(users.size(), 1u);
  EXPECT_EQ(users.front().pid, static_cast<std::uint32_t>(getpid()));
  EXPECT_GT(users.front().bytes, 0u);
}

TEST(FileLockRecord, OnlyOfRefusedLocks) {
  bpf::record_stall r{};
  r.h.kind = bpf::RECORD_STALL;
  r.h.pid = 7;
  r.h.tid = 8;
  r.h.time = 1000;
  r.where = 4711;
  r.what = STALL_FILE_LOCK;
  const auto bytes = [&] { return std::as_bytes(std::span(&r, 1)); };
  EXPECT_EQ(file_lock(bytes()).holder, 4711u);
  EXPECT_EQ(file_lock(bytes()).thread, (formats::Thread{7, 8}));
  EXPECT_EQ(file_lock(bytes()).time, formats::time_from(1000));
  EXPECT_EQ(file_lock(bytes().first(sizeof r - 1)).holder, 0u);
  r.where = std::uint64_t{1} << 32;
  EXPECT_EQ(file_lock(bytes()).holder, 0u);
  r.where = 1;
  r.what = 12;
  EXPECT_EQ(file_lock(bytes()).holder, 0u);
  r.what = STALL_FILE_LOCK;
  r.h.kind = bpf::RECORD_TASK;
  EXPECT_EQ(file_lock(bytes()).holder, 0u);
}

}  // namespace
}  // namespace tailcap::capture
