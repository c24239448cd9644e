// The kernel's reasons to drop a packet, against what its tracing file system says of them.
#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <string>

#include "capture/host/kernel.h"

namespace tailcap::capture {
namespace {

TEST(DropReasons, AreThoseOfTheTracepoint) {
  std::ifstream file("/sys/kernel/tracing/events/skb/kfree_skb/format");
  const std::string format{std::istreambuf_iterator<char>(file), {}};
  if (format.find("enum skb_drop_reason reason") == format.npos || !std::ifstream("/sys/kernel/btf/vmlinux"))
    GTEST_SKIP() << "needs root, BTF, and a kernel that has reasons (5.17)";
  std::map<std::uint32_t, std::string> truth;
  const std::regex pair("\\{ (\\d+), \"(\\w+)\" \\}");
  for (std::sregex_iterator at(format.begin(), format.end(), pair), end; at != end; ++at)
    truth[static_cast<std::uint32_t>(std::stoul((*at)[1]))] = (*at)[2];
  auto reasons = KernelTypes().drop_reasons();
  ASSERT_GT(truth.size(), 10u);
  for (auto at = truth.begin(); at != truth.end();)
    at = at->second == "NOT_SPECIFIED" ? truth.erase(truth.begin(), std::next(at)) : std::next(at);
  reasons.erase(reasons.upper_bound(truth.rbegin()->first), reasons.end());  // the format need not name the last
  EXPECT_EQ(reasons, truth);
  EXPECT_GT(reasons.begin()->first, 0u);
}

}  // namespace
}  // namespace tailcap::capture
