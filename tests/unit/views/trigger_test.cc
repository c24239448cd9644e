#include "analyze/views/watch/trigger.h"

#include <gtest/gtest.h>

#include "tests/unit/tail/sample_study.h"

namespace tailcap::watch {
namespace {

using model::Request;
using model::policy::Limit;
using model::policy::PolicyCondition;
using tests::at;
using tests::ms;
using tests::sample_request;

class Looks : public ::testing::Test {
 protected:
  void served(double start, double milliseconds, std::uint16_t status = 200) {
    Request r = sample_request(table_.texts, ++connection_, start, milliseconds, "/pay");
    r.status = status;
    table_.rows.push_back(r);
  }
  static PolicyCondition when(const char* expression, std::size_t least = 1, double share = 0) {
    PolicyCondition c;
    c.where = {expression};
    c.limits.push_back({.of = Limit::Of::count, .value = static_cast<double>(least)});
    if (share > 0) c.limits.push_back({.of = Limit::Of::share, .value = share});
    return c;
  }
  Sight look_at(const PolicyCondition& condition, double since, double until) {
    return look(table_, condition, at(0), at(since), at(until));
  }
  model::RequestTable table_;
  std::uint32_t connection_ = 0;
};

TEST_F(Looks, ARequestIsJudgedOnceWhenItHasEnded) {
  served(1, 10);
  served(1.5, 1000);  // until 2.5
  const auto slow = when("duration > 250ms");
  EXPECT_FALSE(look_at(slow, 0, 2).holds);
  const Sight sight = look_at(slow, 2, 3);
  EXPECT_TRUE(sight.holds);
  EXPECT_EQ(sight.ended, 1u);
  EXPECT_EQ(sight.what, "GET /pay took 1.00 s, status 200");
  EXPECT_FALSE(look_at(slow, 3, 4).holds);
}

TEST_F(Looks, BothEndsOfARequestCountOnce) {
  served(1, 400);
  Request call = sample_request(table_.texts, 77, 1, 401, "/pay", model::Role::client);
  call.peer = {1, 3};
  table_.rows.push_back(call);
  EXPECT_EQ(look_at(when("duration > 250ms"), 0, 2).matching, 1u);
}

TEST_F(Looks, ShareAndNumber) {
  for (int i = 0; i < 99; ++i) served(1, 1);
  served(1, 1, 503);
  const char* failed = "status >= 500";
  EXPECT_TRUE(look_at(when(failed), 0, 2).holds);
  EXPECT_TRUE(look_at(when(failed, 1, 0.01), 0, 2).holds);
  EXPECT_FALSE(look_at(when(failed, 1, 0.011), 0, 2).holds);
  EXPECT_FALSE(look_at(when(failed, 2), 0, 2).holds);
  served(1, 2, 500);
  EXPECT_EQ(look_at(when(failed, 2), 0, 2).what, "GET /pay took 1.00 ms, status 503, and 1 more of 101");
}

TEST_F(Looks, UnansweredRequests) {
  Request hung = sample_request(table_.texts, 5, 1, 0, "/report");
  hung.has_duration = hung.complete = false;
  hung.outcome = model::Outcome::in_flight;
  table_.rows.push_back(hung);
  EXPECT_FALSE(look_unanswered(table_, ms(2000), at(2.9)).holds);
  const Sight sight = look_unanswered(table_, ms(2000), at(3.5));
  EXPECT_TRUE(sight.holds);
  EXPECT_EQ(sight.what, "GET /report had no answer after 2.50 s");
}

TEST_F(Looks, ByWhatARequestWaitedFor) {
  served(1, 10);
  served(1, 10);
  const model::AccountPart lock{.label = model::Label::lock_futex, .time = 8'000'000};
  const model::AccountPart cpu{.label = model::Label::cpu, .time = 10'000'000};
  table_.partitions.add(table_.rows.id(0), {&lock, 1}, {});
  table_.partitions.add(table_.rows.id(1), {&cpu, 1}, {});
  table_.partitions.sort();
  EXPECT_EQ(look_at(when("labels.lock.futex > 5ms"), 0, 2).matching, 1u);
  EXPECT_EQ(look_at(when("labels.lock.futex > 9ms"), 0, 2).matching, 0u);
}

TEST_F(Looks, NothingMeansNothing) {
  EXPECT_FALSE(look_at(when("duration > 0ms"), 0, 10).holds);
  served(1, 10);
  EXPECT_FALSE(look_at(PolicyCondition{}, 0, 10).holds);
}

TEST(WatchTrigger, RestsAfterItHasFired) {
  WatchTrigger trigger(ms(3000));
  EXPECT_FALSE(trigger.fires(false, at(1)));
  EXPECT_TRUE(trigger.fires(true, at(2)));
  EXPECT_FALSE(trigger.fires(true, at(3)));
  EXPECT_FALSE(trigger.fires(true, at(4.9)));
  EXPECT_TRUE(trigger.fires(true, at(5)));
}

}  // namespace
}  // namespace tailcap::watch
