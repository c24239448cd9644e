// Who has a user shadow stack, by what /proc/PID/status says.
#include "capture/shadow_stacks.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

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
  EXPECT_FALSE(has_shadow_stack(0xffffffff));
  // This one was not built for it; whether any other has one depends on the machine.
  EXPECT_FALSE(has_shadow_stack(static_cast<std::uint32_t>(getpid())));
  any_process_has_shadow_stack();
}

}  // namespace
}  // namespace tailcap::capture
