// Which processes have a user shadow stack, according to /proc/PID/status.
#include "capture/host/shadow_stacks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

namespace tailcap::capture {
namespace {

std::string status(const std::string& features) {
  return "Name:\tx86_Thread_features:\tshstk\nPid:\t1\n" + features + "Mems_allowed:\t1\n";
}

TEST(ShadowStacks, ByTheFeaturesOfTheThread) {
  EXPECT_TRUE(says_shadow_stack(status("x86_Thread_features:\tshstk \nx86_Thread_features_locked:\tshstk wrss \n")));
  EXPECT_TRUE(says_shadow_stack(status("x86_Thread_features:\tshstk wrss \n")));
  EXPECT_TRUE(says_shadow_stack("x86_Thread_features:\twrss shstk"));
  EXPECT_FALSE(says_shadow_stack(status("x86_Thread_features:\t\nx86_Thread_features_locked:\t\n")));
  EXPECT_FALSE(says_shadow_stack(status("x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk wrss \n")))
      << "locked, and off";
  EXPECT_FALSE(says_shadow_stack(status("x86_Thread_features:\tshstkx\n")));
  EXPECT_FALSE(says_shadow_stack(status("")));
  EXPECT_FALSE(says_shadow_stack(""));
}

TEST(ShadowStacks, Calls) {
  using namespace std::literals;
  for (const auto code : {"\xe8\0\0\0\0"sv, "\xff\xd0"sv, "\x41\xff\xd4"sv, "\xff\x15\0\0\0\0"sv, "\x67\xe8\0\0\0\0"sv,
                          "\x3e\xff\xd0"sv, "\xff\x1c\x24"sv})
    EXPECT_TRUE(begins_with_call(code));
  for (const auto code :
       {"\xe9\0\0\0\0"sv, "\xff\xe0"sv, "\x55"sv, "\x0f\x1f\x44\0\0"sv, "\xff\x30"sv, "\xc3"sv, ""sv, "\x66"sv})
    EXPECT_FALSE(begins_with_call(code));
}

TEST(ShadowStacks, OfProcesses) {
  const ShadowStacks real(true);
  EXPECT_FALSE(real.in_process(0xffffffff));
  // This process was not built for it. Whether another process has a shadow stack depends on the machine.
  EXPECT_FALSE(real.in_process(static_cast<std::uint32_t>(getpid())));
  real.in_any_process();
}

TEST(ShadowStacks, NoProcessIsLookedAtWhereTheKernelHasNone) {
  const auto proc = std::filesystem::temp_directory_path() / ("shadow-stacks-" + std::to_string(getpid()));
  for (const auto& [pid, features] : {std::pair("17", "wrss"), std::pair("23", "shstk")}) {
    std::filesystem::create_directories(proc / pid);
    std::ofstream(proc / pid / "status") << status("x86_Thread_features:\t" + std::string(features) + "\n");
  }
  const ShadowStacks with(true, proc), without(false, proc);
  EXPECT_TRUE(with.in_any_process());
  EXPECT_TRUE(with.in_process(23));
  EXPECT_FALSE(with.in_process(17));
  EXPECT_FALSE(without.in_any_process());
  EXPECT_FALSE(without.in_process(23));
  std::filesystem::remove_all(proc);
}

}  // namespace
}  // namespace tailcap::capture
