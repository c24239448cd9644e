#include <gtest/gtest.h>

#include <random>
#include <string>

#include "formats/calls/machine/key_shape.h"

namespace tailcap::formats::calls {
namespace {

std::string masked(std::string key, bool cut = false) {
  mask_key(key, cut);
  return key;
}

std::string shape(std::string key, bool cut = false) { return shown_key(masked(std::move(key), cut)); }

TEST(KeyShape, IdsBecomeStars) {
  EXPECT_EQ(masked("user:17:cart"), "user:**:cart");
  EXPECT_EQ(shape("user:17:cart"), "user:*:cart");
  EXPECT_EQ(shape("session:3f2b8c1a-9d04-4c7b-8a51-0c6f0e4b7d11"), "session:*");
  EXPECT_EQ(shape("user:alice:settings"), "user:*:settings");
  EXPECT_EQ(shape("cache/product/4711.json"), "cache/product/*.*");
  EXPECT_EQ(shape("a|b#c;d"), "*|*#*;*");
}

TEST(KeyShape, FirstSegmentStaysIfItReadsLikeWords) {
  EXPECT_EQ(shape("bullhorn:17"), "bullhorn:*");
  EXPECT_EQ(shape("my-shop_cache:17"), "my-shop_cache:*");
  EXPECT_EQ(shape("rateLimiter:10.0.0.1"), "rateLimiter:*.*.*.*");
  EXPECT_EQ(shape("SESSION:17"), "SESSION:*");
  EXPECT_EQ(shape("xkqtrw:17"), "*:*");   // no vowel
  EXPECT_EQ(shape("abcdfgh:17"), "*:*");  // five consonants
  EXPECT_EQ(shape("aBcXyZ:17"), "*:*");   // letters between changes of case
  EXPECT_EQ(shape("user42:17"), "*:*");   // a digit
  EXPECT_EQ(shape("x:17"), "*:*");        // one letter
  EXPECT_EQ(shape("abababababababababababab:1"), "abababababababababababab:*");
  EXPECT_EQ(shape("ababababababababababababa:1"), "*:*");  // 25
  EXPECT_EQ(shape("bullhorn:"), "*:");                     // nothing behind it
}

TEST(KeyShape, KeyOfOneSegmentStaysOnlyIfItIsOfSchemas) {
  EXPECT_EQ(shape("leaderboard"), "leaderboard");
  EXPECT_EQ(shape("orders_total"), "orders_total");
  EXPECT_EQ(shape("activeSessions"), "activeSessions");
  EXPECT_EQ(shape("token"), "token");
  EXPECT_EQ(shape("alice"), "*");
  EXPECT_EQ(shape("swordfish"), "*");
  EXPECT_EQ(shape("user-"), "*");
  EXPECT_EQ(shape("-"), "*");
  EXPECT_EQ(shape("user__id"), "*");
  EXPECT_EQ(shape(""), "");
}

TEST(KeyShape, AddressesAreNoSegments) {
  EXPECT_EQ(shape("john.doe@example.com"), "*.*.*");
  EXPECT_EQ(shape("john.do", true), "*.*");
  EXPECT_EQ(shape("email:john.doe@example.com"), "email:*.*.*");
}

TEST(KeyShape, BracesOfHashTagsStay) {
  EXPECT_EQ(shape("{user:17}:cart"), "{user:*}:cart");
  EXPECT_EQ(shape("{alice}:cart"), "{*}:cart");
  EXPECT_EQ(shape("cart{1000}.items"), "cart{*}.items");
}

TEST(KeyShape, LastSegmentThatIsCutIsHidden) {
  EXPECT_EQ(shape("user:17:cart", true), "user:*:*");
  EXPECT_EQ(shape("user:17:cart:", true), "user:*:cart:");
  EXPECT_EQ(shape("user", true), "*");
}

TEST(KeyShape, LengthStaysAndASecondTimeChangesNothing) {
  std::mt19937 random(7);
  constexpr std::string_view kBytes = ":/.|#;{}-_*@aeioutrsnCARTuser0123456789\0\xff ";
  const std::string_view words[] = {"user", "cart", "alice", "Session", ":", ".", "{", "}", "17", "_", "@", "*"};
  for (int i = 0; i < 20000; ++i) {
    std::string key;
    for (auto n = random() % 12; n > 0; --n) {
      if (random() % 2 == 0)
        key += words[random() % std::size(words)];
      else
        key += kBytes[random() % kBytes.size()];
    }
    const bool cut = random() % 2 == 0;
    const std::string once = masked(key, cut);
    ASSERT_EQ(once.size(), key.size());
    ASSERT_EQ(masked(once, cut), once) << key;
    ASSERT_EQ(once.find_first_of("0123456789@"), std::string::npos) << key;
    for (std::size_t at = 0; at < key.size(); ++at) ASSERT_TRUE(once[at] == key[at] || once[at] == '*');
  }
}

}  // namespace
}  // namespace tailcap::formats::calls
