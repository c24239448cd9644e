// Batches pass all stages in order, whatever the number of threads; an error reaches who added the batch.
#include "ground/threads/line.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <stdexcept>
#include <thread>
#include <vector>

namespace tailcap::line_test {
namespace {

using ground::Line;

constexpr std::size_t kMost = 5;

TEST(Line, EachStageTakesBatchesInOrder) {
  for (const unsigned threads : {1u, 2u, 4u, 8u}) {
    std::array<int, kMost> batches{};
    std::array<std::vector<int>, 3> seen;
    std::vector<Line::Stage> stages;
    for (std::size_t s = 0; s < seen.size(); ++s)
      stages.emplace_back([&, s](std::size_t place) {
        // What the stage before made of it.
        seen[s].push_back(batches[place]);
        batches[place] += 1000;
      });
    {
      Line line(threads, kMost, std::move(stages));
      for (int i = 0; i < 500; ++i) {
        batches[line.place()] = i;
        line.add();
      }
      line.wait();
    }
    for (int s = 0; s < 3; ++s) {
      ASSERT_EQ(seen[static_cast<std::size_t>(s)].size(), 500u) << threads;
      for (int i = 0; i < 500; ++i)
        EXPECT_EQ(seen[static_cast<std::size_t>(s)][static_cast<std::size_t>(i)], i + 1000 * s);
    }
  }
}

// The second stage waits until the first is at the next batch.
TEST(Line, StagesWorkAtTheSameTime) {
  std::atomic<int> begun = 0;
  bool together = false;
  Line line(3, kMost,
            {[&](std::size_t) { ++begun; },
             [&](std::size_t) {
               for (int i = 0; i < 2000 && begun < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
               together = begun == 2;
             }});
  for (int i = 0; i < 2; ++i) {
    line.place();
    line.add();
  }
  line.wait();
  EXPECT_TRUE(together);
}

TEST(Line, NoMoreBatchesThanPlaces) {
  std::atomic<std::size_t> over = 0;
  Line line(2, kMost, {[&](std::size_t) { ++over; }});
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(line.place(), i % kMost);
    EXPECT_GT(over + kMost, i);
    line.add();
    line.wait(2);
    EXPECT_GE(over + 2, i + 1);
  }
}

TEST(Line, HandsOnWhatAStageThrows) {
  for (const unsigned threads : {1u, 2u}) {
    int after = 0;
    Line line(threads, kMost,
              {[](std::size_t place) {
                 if (place == 1) throw std::runtime_error("from the stage");
               },
               [&](std::size_t place) { after += place > 1; }});
    const auto all = [&] {
      for (int i = 0; i < 3; ++i) {
        line.place();
        line.add();
      }
      line.wait();
    };
    EXPECT_THROW(all(), std::runtime_error) << threads;
    EXPECT_EQ(after, 0) << threads;
  }
}

TEST(Line, GivesBatchesUpWhereItEnds) {
  std::atomic<int> begun = 0;
  {
    Line line(2, kMost, {[&](std::size_t) {
                ++begun;
                std::this_thread::sleep_for(std::chrono::milliseconds(20));
              }});
    for (int i = 0; i < 3; ++i) {
      line.place();
      line.add();
    }
  }
  EXPECT_LT(begun, 3);
}

}  // namespace
}  // namespace tailcap::line_test
