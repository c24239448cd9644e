// Services and dependencies, window by window.
#include "analyze/tail/health.h"

#include <gtest/gtest.h>

#include "analyze/report/sections/health.h"
#include "analyze/report/study/shapes.h"
#include "analyze/report/words/escape.h"

namespace tailcap::tests::health_test {
namespace {

using model::HealthState;

// 24 seconds; requests to the service take 10 ms, but 40 ms in the seventh; half of its calls fail in the tenth.
model::Study study_of(model::RequestTable& table) {
  model::Study study;
  study.begin = formats::time_from(1'000'000'000);
  study.end = formats::time_from(25'000'000'000 - 1);
  std::uint32_t n = 0;
  for (int second = 0; second < 24; ++second)
    for (int i = 0; i < 30; ++i)
      for (const bool made : {false, true}) {
        model::Request row;
        row.id = {1, ++n};
        row.start = formats::time_from(1'000'000'000 + second * 1'000'000'000LL + i * 30'000'000LL + 1000);
        row.role = made ? model::Role::client : model::Role::server;
        row.comm = table.texts.intern("shop");
        row.authority = table.texts.intern("stock:80");
        row.duration = model::Duration{!made && second == 6 ? 40'000'000 : 10'000'000};
        row.has_duration = row.complete = true;
        row.outcome = made && second == 9 && i % 2 == 0 ? model::Outcome::server_error : model::Outcome::ok;
        if (second == 12 && made) continue;
        if (second == 13 && made && i > 5) continue;
        table.rows.push_back(row);
      }
  study.health = tail::health_of(table, study);
  return study;
}

TEST(Health, SaysWhenAndWho) {
  model::RequestTable table;
  const model::Study study = study_of(table);
  ASSERT_EQ(study.health.rows.size(), 2u);
  const auto& shop = study.health.rows[0];
  const auto& stock = study.health.rows[1];
  EXPECT_EQ(shop.name, "shop");
  EXPECT_EQ(stock.name, "stock:80");
  EXPECT_EQ(shop.p99, model::Duration{10'000'000});
  for (std::size_t w = 0; w < 24; ++w) {
    EXPECT_EQ(model::state_of(shop, shop.cells[w]), w == 6 ? HealthState::very_slow : HealthState::good) << w;
    const HealthState wanted = w == 9    ? HealthState::down
                               : w == 12 ? HealthState::nothing
                               : w == 13 ? HealthState::few
                                         : HealthState::good;
    EXPECT_EQ(model::state_of(stock, stock.cells[w]), wanted) << w;
  }
  EXPECT_EQ(stock.errors, 15u);
  EXPECT_EQ(stock.kinds.server, 15u);
}

TEST(Health, IsALineOfLettersAndAMap) {
  model::RequestTable table;
  const model::Study study = study_of(table);
  const auto figure = report::health_figure(study.health);
  ASSERT_TRUE(figure);
  const auto& lines = figure->lines;
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_NE(lines[0].find("[......S.................]"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("latency [............ ,..........]"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find("errors  [         E              ] 15 × 5xx (2.3 %)"), std::string::npos) << lines[2];
  EXPECT_NE(lines[3].find("+0.000 s"), std::string::npos) << lines[3];
  EXPECT_NE(lines[3].find("+24.000 s"), std::string::npos) << lines[3];
  EXPECT_EQ(report::columns(lines[3]), report::columns(lines[1].substr(0, lines[1].find(']'))))
      << "the axis ends with the row";
  const std::string& page = figure->svg;
  EXPECT_NE(page.find("→ stock:80"), std::string::npos);
  EXPECT_EQ(page.find("http:"), page.find("http://www.w3.org")) << "nothing is fetched";
  const std::string json =
      report::json_of(report::study::health_shape(), study.health, report::study::Context(study, table));
  EXPECT_NE(json.find("\"state\":\"down\""), std::string::npos);
}

TEST(Health, OfAFewRequestsThereIsNoMap) {
  model::RequestTable table;
  model::Study study;
  study.begin = formats::time_from(1);
  study.end = formats::time_from(10);
  EXPECT_FALSE(report::health_figure(tail::health_of(table, study)));
  EXPECT_FALSE(report::health_figure(tail::health_of(table, {})));
}

TEST(Health, FewRequestsDoNotHideASlowOne) {
  model::HealthRow row;
  row.p99 = model::Duration{4'000'000};
  model::HealthCell cell;
  cell.requests = cell.timed = 3;
  cell.p99 = model::Duration{11'000'000};
  EXPECT_EQ(model::state_of(row, cell), model::HealthState::few);
  cell.p99 = model::Duration{12'000'000};
  EXPECT_EQ(model::state_of(row, cell), model::HealthState::few_slow);
  row.p99 = {};
  EXPECT_EQ(model::state_of(row, cell), model::HealthState::few) << "nothing is known of what is usual";
}

}  // namespace
}  // namespace tailcap::tests::health_test
