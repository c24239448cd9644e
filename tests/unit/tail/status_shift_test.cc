// When a route's status classes begin to shift: found soon, and not by chance.
#include "analyze/tail/changes/status_shift.h"

#include <gtest/gtest.h>

#include <random>

namespace tailcap::tail::changes {
namespace {

using namespace std::chrono_literals;

constexpr model::Duration kWindow = 1s;
constexpr int kPerWindow = 100;

// One status at a time, kPerWindow per window.
struct Service {
  std::mt19937_64 random;
  StatusWatch watch{kWindow};
  std::int64_t asked = 0;
  model::Time now() const { return formats::time_from(1'000'000'000 + asked * (kWindow.count() / kPerWindow)); }
  void serve(int windows, double failing, double missing = 0.02) {
    std::uniform_real_distribution<double> share(0, 1);
    for (int i = 0; i < windows * kPerWindow; ++i, ++asked) {
      const double x = share(random);
      watch.push(now(), x < failing ? 503 : x < failing + missing ? 404 : 200);
    }
  }
};

TEST(StatusShift, NoneByChance) {
  int shifts = 0;
  for (int seed = 0; seed < 100; ++seed) {
    Service s;
    s.random.seed(static_cast<std::uint64_t>(seed));
    s.serve(1000, seed % 5 * 0.002, seed % 4 * 0.1);
    s.watch.end();
    shifts += static_cast<int>(s.watch.shifts().size());
  }
  EXPECT_LT(shifts, 100) << "of 100,000 windows";
  EXPECT_LE(shifts, 5) << "which is what it is made for";
}

TEST(StatusShift, FoundWithinTwoWindows) {
  for (int seed = 0; seed < 200; ++seed) {
    Service s;
    s.random.seed(static_cast<std::uint64_t>(seed));
    s.serve(3 + seed % 50, 0.01);
    const model::Time at = s.now();
    s.serve(3, 0.30);
    s.watch.end();
    ASSERT_EQ(s.watch.shifts().size(), 1u) << seed;
    const model::StatusShift& shift = s.watch.shifts()[0];
    EXPECT_EQ(shift.status_class, 5);
    EXPECT_GE(shift.to, at);
    EXPECT_LT(shift.from, at + 2 * kWindow) << seed;
    EXPECT_GT(shift.after * shift.before_of, shift.before * shift.after_of);
  }
}

TEST(StatusShift, AWindowThatHasBoth) {
  for (int from = 0; from < 100; from += 5) {
    Service s;
    s.serve(7, 0, 0);
    StatusWatch& watch = s.watch;
    for (int i = 0; i < 400; ++i, ++s.asked) watch.push(s.now(), i >= from && i % 3 == 0 ? 503 : 200);
    watch.end();
    ASSERT_EQ(watch.shifts().size(), 1u) << from;
    EXPECT_EQ(watch.shifts()[0].status_class, 5);
    EXPECT_LT(watch.shifts()[0].from, formats::time_from(1'000'000'000) + 9 * kWindow) << from;
  }
}

TEST(StatusShift, BackAgainIsAnotherOne) {
  Service s;
  s.serve(10, 0);
  s.serve(10, 0.5);
  s.serve(10, 0);
  s.watch.end();
  ASSERT_EQ(s.watch.shifts().size(), 2u);
  EXPECT_EQ(s.watch.shifts()[0].status_class, 5);
  EXPECT_EQ(s.watch.shifts()[0].before, 0u);
  EXPECT_EQ(s.watch.shifts()[1].status_class, 2);
}

TEST(StatusShift, FailuresThatComeInBurstsAreNothingNew) {
  // A tenth fails in every fourth window: after some of these, one more is no change.
  Service s;
  for (int i = 0; i < 400; ++i) s.serve(1, i % 4 == 3 ? 0.12 : 0.0);
  s.watch.end();
  EXPECT_LE(s.watch.shifts().size(), 5u) << "of 200 borders: until it is known how they come";
}

TEST(StatusShift, FewSayNothing) {
  Service s;
  for (int i = 0; i < 59; ++i) s.watch.push(formats::time_from(1'000'000'000 + i * 1'000'000'000ll), 200);
  for (int i = 59; i < 89; ++i) s.watch.push(formats::time_from(1'000'000'000 + i * 1'000'000'000ll), 500);
  s.watch.end();
  EXPECT_TRUE(s.watch.shifts().empty()) << "59 before; one of them is in the window of failures";
  StatusWatch odd(kWindow);
  for (int i = 0; i < 1000; ++i)
    odd.push(formats::time_from(1'000'000'000 + i * 100'000'000ll), i % 2 == 0 ? -1 : 99999);
  odd.end();
  EXPECT_TRUE(odd.shifts().empty());
}

}  // namespace
}  // namespace tailcap::tail::changes
