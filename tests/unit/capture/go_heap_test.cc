// The heap of a Go process, from its memory, which may hold anything.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <string>

#include "capture/go/heap.h"

namespace tailcap::capture::go {
namespace {

constexpr HeapPlaces kPlaces{0x500000, 64, 80};

struct Controller {
  std::int32_t percent = 100;
  std::int64_t limit = std::numeric_limits<std::int64_t>::max(), used = 7'000'000, live = 4'000'000;

  std::string bytes() const {
    std::string out(kPlaces.size(), '\0');
    std::memcpy(out.data(), &percent, sizeof percent);
    std::memcpy(out.data() + 8, &limit, sizeof limit);
    std::memcpy(out.data() + kPlaces.used, &used, sizeof used);
    std::memcpy(out.data() + kPlaces.live, &live, sizeof live);
    return out;
  }
};

TEST(GoHeap, WithoutALimit) {
  EXPECT_EQ(read_heap(Controller{}.bytes(), kPlaces), (formats::GoHeap{0, 100, 7'000'000, 4'000'000}));
}

TEST(GoHeap, WithALimitAndTheCollectorOff) {
  Controller c;
  c.percent = -1;
  c.limit = 1'800'000'000;
  EXPECT_EQ(read_heap(c.bytes(), kPlaces), (formats::GoHeap{1'800'000'000, -1, 7'000'000, 4'000'000}));
}

TEST(GoHeap, PlacesThatAreNotKnown) {
  constexpr HeapPlaces kFew{0x500000, 0, 0};
  EXPECT_EQ(kFew.size(), 16u);
  EXPECT_EQ(read_heap(Controller{}.bytes(), kFew), (formats::GoHeap{0, 100, 0, 0}));
}

TEST(GoHeap, ARuntimeThatHasNotBegunHasNone) {
  EXPECT_FALSE(read_heap(std::string(kPlaces.size(), '\0'), kPlaces));
  EXPECT_FALSE(read_heap("", kPlaces));
  EXPECT_FALSE(read_heap(Controller{}.bytes().substr(1), kPlaces));
}

TEST(GoHeap, WhatNoRuntimeHasIsNotBelieved) {
  for (auto change : {+[](Controller& c) { c.limit = -5; }, +[](Controller& c) { c.limit = std::int64_t{1} << 60; },
                      +[](Controller& c) { c.percent = -2; }, +[](Controller& c) { c.used = -1; },
                      +[](Controller& c) { c.live = std::int64_t{1} << 62; }}) {
    Controller c;
    change(c);
    EXPECT_FALSE(read_heap(c.bytes(), kPlaces));
  }
}

}  // namespace
}  // namespace tailcap::capture::go
