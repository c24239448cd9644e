#include <random>

#include "formats/summary/summary_file.h"
#include "tests/unit/summaries/weeks.h"

namespace tailcap::summaries {
namespace {

using formats::decode_summary;
using formats::encode_summary;
using formats::Summary;

Summary two_days() {
  Summary out;
  SyntheticWeeks weeks({}, 1);
  weeks.add_day(out, 0);
  weeks.add_day(out, 1);
  out.captures.insert(
      {"0123456789abcdef0123456789abcdef", "web-1", kFirstMonday, kFirstMonday + 2 * kDayOfHours, 3, false});
  out.environment.emplace("kernel", "6.1.0");
  auto& window = out.windows.begin()->second;
  window.routes.begin()->second.labels["lock.futex"].add(1'000'000, 7);
  window.edges[{"shop", "db"}].requests = 5;
  window.statements[{"postgresql", "SELECT ?"}].durations.add(5);
  window.functions[{"shop", "handle", true}] = 9;
  return out;
}

std::span<const std::byte> bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

TEST(SummaryFile, ComesBackAsItWas) {
  const Summary summary = two_days();
  const std::string bytes = encode_summary(summary);
  Summary back;
  ASSERT_EQ(decode_summary(bytes_of(bytes), back), "");
  EXPECT_EQ(back, summary);
  EXPECT_EQ(encode_summary(back), bytes);
}

TEST(SummaryFile, DamageIsSaidAndLeavesNothing) {
  const std::string bytes = encode_summary(two_days());
  Summary back;
  for (std::size_t i = 0; i < bytes.size(); i += 1 + i / 64) {
    std::string changed = bytes;
    changed[i] = static_cast<char>(changed[i] ^ 0x10);
    EXPECT_NE(decode_summary(bytes_of(changed), back), "") << i;
    EXPECT_EQ(back, Summary{});
    EXPECT_NE(decode_summary(bytes_of(bytes.substr(0, i)), back), "") << i;
  }
}

TEST(SummaryFile, ContradictionsAreDamage) {
  const auto refused = [](auto change) {
    Summary summary = two_days(), back;
    change(summary);
    return !decode_summary(bytes_of(encode_summary(summary)), back).empty();
  };
  EXPECT_FALSE(refused([](Summary&) {}));
  EXPECT_TRUE(refused([](Summary& s) { s.windows.begin()->second.routes.begin()->second.failed = UINT64_MAX; }));
  EXPECT_TRUE(refused([](Summary& s) { s.windows[s.windows.begin()->first + 1]; }));  // no multiple of the window
  EXPECT_TRUE(refused([](Summary& s) { s.window = 0; }));
  EXPECT_TRUE(refused([](Summary& s) { s.environment.emplace("name", std::string(1'001, 'x')); }));
  EXPECT_TRUE(refused([](Summary& s) { s.captures.insert({"x", "y", 5, 4, 0, true}); }));
  EXPECT_TRUE(refused([](Summary& s) {
    for (int i = 0; i < 500; ++i) s.windows.begin()->second.edges[{"a", std::to_string(i)}].requests = 1;
  }));
}

}  // namespace
}  // namespace tailcap::summaries
