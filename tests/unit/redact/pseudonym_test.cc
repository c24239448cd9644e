#include "analyze/redact/rules/pseudonym.h"

#include <gtest/gtest.h>

#include <cctype>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "analyze/redact/rules/keyed_digest.h"
#include "ground/http/hpack_huffman.h"

namespace tailcap::redact {
namespace {

std::size_t coded(const std::string& text) {
  std::string out;
  ground::hpack::huffman_encode(text, out);
  return out.size();
}

TEST(Pseudonyms, FitWhereTheWordWas) {
  Pseudonyms names("0123456789abcdef");
  for (const char* word :
       {"customer", "4711", "aZ09qX", "deadbeef01", "ABCDEF0123456789", "internal", "Jq7xZ90", "hunter2"}) {
    const std::string original = word, made = names.of(original);
    ASSERT_EQ(made.size(), original.size());
    EXPECT_NE(made, original);
    EXPECT_EQ(coded(made), coded(original)) << original << " " << made;
    for (std::size_t i = 0; i < made.size(); ++i) {
      const auto was = static_cast<unsigned char>(original[i]), is = static_cast<unsigned char>(made[i]);
      EXPECT_EQ(std::isdigit(was) != 0, std::isdigit(is) != 0);
      EXPECT_EQ(std::isupper(was) != 0, std::isupper(is) != 0);
    }
    EXPECT_EQ(names.of(original), made);
  }
}

// Otherwise different requests would look like repetitions of one.
TEST(Pseudonyms, OfDifferentWordsDiffer) {
  for (const char* key : {"0123456789abcdef", "another key, of 24 bytes"}) {
    Pseudonyms names(key);
    std::set<std::string> made;
    for (int i = 0; i < 10'000; ++i) made.insert(names.of(std::to_string(10'000 + i)));
    EXPECT_EQ(made.size(), 10'000u);
    for (char a = 'a'; a <= 'z'; ++a) {
      made.insert(names.of(std::string(1, a)));
      for (char b = 'a'; b <= 'z'; ++b) made.insert(names.of(std::string{a, b}));
    }
    EXPECT_EQ(made.size(), 10'000u + 26 + 26 * 26);
  }
}

TEST(Pseudonyms, DependOnTheKey) {
  Pseudonyms a("0123456789abcdef"), b("0123456789abcdeg");
  EXPECT_NE(a.of("customer"), b.of("customer"));
}

TEST(Pseudonyms, WhatHasNoLikeIsMasked) {
  Pseudonyms names("0123456789abcdef");
  EXPECT_EQ(names.of("AAAAAA"), "AAAAAA");  // no other capital letter has a code of six bits
  EXPECT_EQ(names.of("\xc3\xa9t\xc3\xa9"), "*****");
}

TEST(Pseudonyms, HexadecimalStaysHexadecimal) {
  Pseudonyms names("0123456789abcdef");
  const std::string made = names.text("/jobs/cafe0123-beef-4242-abcd-0123456789ab", Words::none);
  const std::string id = made.substr(made.rfind('/') + 1);
  for (const char c : id) EXPECT_TRUE(std::isxdigit(static_cast<unsigned char>(c)) || c == '-') << made;
}

TEST(Pseudonyms, WordsAreKeptAndTokensAreNot) {
  EXPECT_TRUE(reads_as_word("checkout"));
  EXPECT_TRUE(reads_as_word("http2"));
  EXPECT_TRUE(reads_as_word("v1"));
  EXPECT_FALSE(reads_as_word("4711"));
  EXPECT_FALSE(reads_as_word("xkcdqwrtpl"));
  EXPECT_FALSE(reads_as_word("aBcDeFgHiJ"));
  EXPECT_FALSE(reads_as_word("s3cr3t"));
  Pseudonyms names("0123456789abcdef");
  EXPECT_EQ(names.text("/usr/bin/checkout", Words::kept), "/usr/bin/checkout");
  EXPECT_EQ(names.text("/usr/bin/checkout", Words::unless_public).substr(0, 9), "/usr/bin/");
  EXPECT_NE(names.text("/usr/bin/checkout", Words::unless_public), "/usr/bin/checkout");
  EXPECT_EQ(names.text("libc.so.6", Words::unless_public), "libc.so.6");
  EXPECT_EQ(names.text("net/http.(*conn).serve", Words::unless_public), "net/http.(*conn).serve");
  EXPECT_NE(names.text("example.com/shop.serve", Words::unless_public), "example.com/shop.serve");
}

TEST(Pseudonyms, AddressesKeepTheirNetworks) {
  Pseudonyms names("0123456789abcdef");
  const auto of = [&](std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
    formats::Address address;
    address.bytes = {a, b, c, d};
    return names.address(address, false).bytes;
  };
  const auto one = of(10, 1, 2, 3), two = of(10, 1, 2, 4), far = of(10, 200, 2, 3);
  EXPECT_NE(one, two);
  EXPECT_TRUE(std::equal(one.begin(), one.begin() + 3, two.begin()));
  EXPECT_NE(one[1], far[1]);
  EXPECT_EQ(one[0], 10);
  EXPECT_EQ(of(127, 0, 0, 1), (std::array<std::uint8_t, 16>{127, 0, 0, 1}));
  EXPECT_EQ(of(10, 1, 2, 3), one);
  formats::Address mapped;
  mapped.bytes = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 1, 2, 3};
  const auto in6 = names.address(mapped, true).bytes;
  EXPECT_TRUE(std::equal(in6.begin() + 12, in6.end(), one.begin()));
}

// RFC 4231, cases 2 and 6: a short key, and one that is longer than a block.
TEST(KeyedDigest, IsHmacSha256) {
  const auto digest = [](std::string_view key, std::string_view message) {
    std::string hexadecimal;
    for (const unsigned char byte : KeyedDigest(key)(message)) {
      hexadecimal += "0123456789abcdef"[byte >> 4];
      hexadecimal += "0123456789abcdef"[byte & 15];
    }
    return hexadecimal;
  };
  EXPECT_EQ(digest("Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(digest(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Pseudonyms, AreTheSameForAllThreads) {
  constexpr int kWords = 300;
  Pseudonyms shared("0123456789abcdef");
  std::vector<std::vector<std::string>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made)
    threads.emplace_back([&] {
      for (int i = 0; i < kWords; ++i) mine.push_back(shared.of("token" + std::to_string(i)));
    });
  for (auto& thread : threads) thread.join();
  for (int i = 0; i < kWords; ++i)
    for (const auto& mine : made)
      EXPECT_EQ(mine[static_cast<std::size_t>(i)], Pseudonyms("0123456789abcdef").of("token" + std::to_string(i)));
}

}  // namespace
}  // namespace tailcap::redact
