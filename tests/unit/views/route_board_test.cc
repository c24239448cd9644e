#include "analyze/views/top/route_board.h"

#include <gtest/gtest.h>

#include "analyze/tail/rows/rows.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::views {
namespace {

using model::Outcome;
using model::Request;
using model::RouteBoard;
using model::Support;
using tests::at;
using tests::ms;
using tests::sample_request;

class Boards : public ::testing::Test {
 protected:
  Request& add(double start, double milliseconds, std::string_view route = "/pay",
               model::Role role = model::Role::server) {
    Request r = sample_request(table_.texts, ++connection_, start, milliseconds, route, role);
    r.route = r.path;
    return rows_.emplace_back(r);
  }
  RouteBoard board(double from, double to) {
    for (const Request& row : rows_) table_.rows.push_back(row);
    tail::sort_rows(table_);
    return board_of(table_, study_, at(from), at(to));
  }
  model::RequestTable table_;
  std::vector<Request> rows_;
  model::Study study_;
  std::uint32_t connection_ = 0;
};

TEST_F(Boards, ARouteHasItsRateErrorsAndSlowest) {
  for (int i = 0; i < 40; ++i) add(i * 0.25, 10 + i * 0.1);
  add(3, 250).id = {7, 9};
  add(4, 1).status = 503;
  rows_.back().outcome = Outcome::server_error;
  add(5, 2, "/cart");
  const RouteBoard out = board(0, 10);
  ASSERT_EQ(out.rows.size(), 2u);
  EXPECT_EQ(out.rows[0].route, "/pay");
  EXPECT_EQ(out.rows[0].service, "nginx");
  EXPECT_EQ(out.rows[0].ended, 42u);
  EXPECT_DOUBLE_EQ(out.rows[0].per_second, 4.2);
  EXPECT_EQ(out.rows[0].errors.server, 1u);
  EXPECT_EQ(out.rows[0].slowest, ms(250));
  EXPECT_EQ(out.rows[0].slowest_id, (model::ExchangeId{7, 9}));
  EXPECT_EQ(out.rows[1].ended, 1u);
}

TEST_F(Boards, APercentileOfTooFewIsOnlyABound) {
  for (int i = 0; i < 50; ++i) add(i * 0.2, 10 + i * 0.1);
  const RouteBoard out = board(0, 10);
  EXPECT_NE(out.rows[0].p99.support, Support::full);
  EXPECT_NE(out.rows[0].p99.support, Support::low);
}

TEST_F(Boards, WhatIsUnderWayHasNotEnded) {
  for (int i = 0; i < 5; ++i) add(i, 10);
  for (const double start : {6.0, 8.5}) {
    Request& open = add(start, 0);
    open.has_duration = open.complete = false;
    open.outcome = Outcome::in_flight;
  }
  const RouteBoard out = board(0, 10);
  EXPECT_EQ(out.rows[0].ended, 5u);
  EXPECT_EQ(out.rows[0].under_way, 2u);
  EXPECT_EQ(out.rows[0].oldest, ms(4000));
  EXPECT_EQ(out.rows[0].errors.all(), 0u);
}

TEST_F(Boards, WhatWasServedComesFirst) {
  for (int i = 0; i < 9; ++i) add(i, 10, "/stock", model::Role::client);
  add(1, 10);
  const RouteBoard out = board(0, 10);
  ASSERT_EQ(out.rows.size(), 2u);
  EXPECT_EQ(out.rows[0].role, model::Role::server);
  EXPECT_EQ(out.rows[1].ended, 9u);
}

TEST_F(Boards, LossesOfItsTimeLimitPercentiles) {
  for (int i = 0; i < 2000; ++i) add(i * 0.005, 10 + (i * 7919 % 100) * 0.1);
  study_.quality.unseen = 500;
  study_.quality.losses = {{at(-20), at(-10), 500, "ring full: receive"}};
  const RouteBoard before = board(0, 10);
  EXPECT_EQ(before.lost, 0u);
  EXPECT_EQ(before.rows[0].p50.support, Support::full);
  table_ = {};
  for (Request& row : rows_) row.route = row.path = table_.texts.intern("/pay");
  study_.quality.losses.push_back({at(2), at(3), 500, "ring full: receive"});
  const RouteBoard meanwhile = board(0, 10);
  EXPECT_EQ(meanwhile.lost, 500u);
  EXPECT_NE(meanwhile.rows[0].p99.support, Support::full);
}

}  // namespace
}  // namespace tailcap::views
