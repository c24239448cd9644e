#include "analyze/partition/history/lock_notes.h"

#include <gtest/gtest.h>

#include <string>

namespace tailcap::partition {

namespace {

constexpr std::uint32_t kShop = 100, kOther = 200;

TEST(LockNotes, AreThoseThatTheRecorderFound) {
  LockNotes names;
  names.waited(kShop, 0x7f001234);
  names.waited(kShop, 0x7f001300);
  names.named(kShop, "7f001234 cart_mutex");
  names.named(kShop, "7f001234 cart_mutex");  // a keyframe repeats it
  EXPECT_EQ(names.all(), (model::LockNames{{0x7f001234, "cart_mutex"}}));
}

TEST(LockNotes, NoneWhereAnotherProcessWaitsAtTheSameAddress) {
  LockNotes names;
  names.named(kShop, "404060 cart_mutex");
  names.waited(kShop, 0x404060);
  names.waited(kOther, 0x404060);
  EXPECT_TRUE(names.all().empty());
}

TEST(LockNotes, NoneWhereTheNameChanged) {
  LockNotes names;
  names.waited(kShop, 0x404060);
  names.named(kShop, "404060 cart_mutex");
  names.named(kShop, "404060 stock_mutex");
  EXPECT_TRUE(names.all().empty());
}

TEST(LockNotes, WhatIsNoNoteOfTheRecorderNamesNothing) {
  LockNotes names;
  names.waited(kShop, 0x404060);
  for (const std::string note :
       {"", " ", "404060", "404060 ", "404060cart", "xyz cart", "-1 cart", "1234567890123456789 cart"})
    names.named(kShop, note);
  EXPECT_TRUE(names.all().empty());
}

TEST(LockNotes, NoneWhereThereAreTooManyToTellApart) {
  LockNotes names;
  names.named(kShop, "8 cart_mutex");
  for (std::uint64_t i = 1; i <= LockNotes::kMaxAddresses + 2; ++i) names.waited(kShop, 8 * i);
  EXPECT_TRUE(names.all().empty());
}

}  // namespace

}  // namespace tailcap::partition
