#include <gtest/gtest.h>

#include "analyze/report/charts/axes.h"
#include "analyze/report/charts/chart_svg.h"
#include "analyze/report/charts/collector_chart.h"
#include "analyze/report/plots/study_charts.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::report::charts {
namespace {

std::string ticks_between(formats::Duration low, formats::Duration high) {
  DurationAxis axis;
  axis.include(low);
  axis.include(high);
  std::string out;
  for (const model::Tick& tick : axis.axis("").ticks) out += (out.empty() ? "" : ", ") + tick.text;
  return out;
}

formats::Duration us(double n) { return formats::Duration{static_cast<std::int64_t>(n * 1000)}; }

TEST(Axes, TheNarrowerTheMoreTicks) {
  EXPECT_EQ(ticks_between(us(60), us(2e6)), "100 µs, 1 ms, 10 ms, 100 ms, 1 s");
  EXPECT_EQ(ticks_between(us(1e3), us(12e3)), "1 ms, 2 ms, 5 ms, 10 ms");
  EXPECT_EQ(ticks_between(us(1.3e3), us(4.4e3)), "2 ms, 3 ms, 4 ms, 5 ms");
  EXPECT_EQ(ticks_between(us(15), us(20)), "15 µs, 20 µs, 25 µs, 30 µs");
  EXPECT_EQ(ticks_between(us(1.4), us(1.6)), "1.2 µs, 1.5 µs, 2 µs, 2.5 µs");
}

TEST(Axes, PlacesAndValuesAreInverse) {
  const model::ChartAxis shares = share_axis(0.0004, "requests");
  EXPECT_NEAR(shares.low, 1e-4, 1e-9);
  EXPECT_EQ(shares.ticks.size(), 5u);
  EXPECT_EQ(quantile_ticks(shares)[2].text, "p99");
  for (const double share : {0.0, 0.25, 1.0}) EXPECT_NEAR(place(shares, value_at(shares, share)), share, 1e-9);
  EXPECT_EQ(place(shares, 0), 0);
  EXPECT_EQ(place(shares, 1e-9), 0);
}

model::Chart chart_with(model::ChartSeries::Form form) {
  model::Chart chart;
  chart.across = {"", 0, 100, false, {}};
  chart.up = {"", 1, 100, true, {{10, "<ten>"}}};
  chart.over_time = true;
  chart.series = {{"what", "#000000", form, false, {{0, 25, 1}, {25, 50, 10}, {75, 100, 100}}}};
  return chart;
}

std::string path_of(const std::string& svg) {
  const auto curve = svg.find("class=\"curve"), begin = svg.find(" d=\"", curve) + 4;
  return svg.substr(begin, svg.find('"', begin) - begin);
}

// The plane of a chart over time is 10,000 wide and 205 high.
TEST(ChartSvg, Forms) {
  using Form = model::ChartSeries::Form;
  const auto drawn = [](Form form) { return path_of(chart_figure(chart_with(form)).svg); };
  EXPECT_EQ(drawn(Form::line), "M0 205L2500 102.5L7500 0");
  EXPECT_EQ(drawn(Form::levels), "M0 205H2500V102.5H5000M7500 0H10000");
  EXPECT_EQ(drawn(Form::stretches), "M0 205H2500M2500 102.5H5000M7500 0H10000");
  EXPECT_EQ(drawn(Form::impulses), "M0 205V205M2500 205V102.5M7500 205V0");
}

TEST(ChartSvg, TextsAreNoMarkup) {
  model::Chart chart = chart_with(model::ChartSeries::Form::line);
  chart.shades = {{model::Shades::Kind::lost, "<lost>", {{10, 10, "<hint>"}}}};
  chart.hints = {{0, 100, "<all>"}};
  for (const bool over_time : {false, true}) {
    chart.over_time = over_time;
    const std::string svg = chart_figure(chart).svg;
    EXPECT_NE(svg.find("&lt;ten&gt;"), svg.npos);
    EXPECT_NE(svg.find("&lt;hint&gt;"), svg.npos);
    EXPECT_NE(svg.find("&lt;all&gt;"), svg.npos);
    for (const char* text : {"<ten>", "<hint>", "<all>"}) EXPECT_EQ(svg.find(text), svg.npos);
  }
}

TEST(CollectorChart, PausesAndTheRequestsThatTheyHit) {
  auto s = tests::sample_study();
  EXPECT_TRUE(collector_charts({}).empty());
  s.study.go.assign(6, {});
  EXPECT_TRUE(collector_charts(s.study).empty());
  for (auto& process : s.study.go) {
    process.pid = 7;
    process.comm = "shop";
    process.cycles = {{tests::at(2), tests::at(3)}};
    process.pauses = {{tests::at(2), tests::at(2) + us(50)}, {tests::at(-9), tests::at(-8)}};
    process.hit = {{tests::at(1.9), tests::at(2.1)}};
  }
  const auto charts = collector_charts(s.study);
  ASSERT_EQ(charts.size(), 4u);
  EXPECT_EQ(charts[0].name, "gc");
  EXPECT_EQ(charts[3].name, "gc-04");
  ASSERT_EQ(charts[0].series.size(), 2u);
  ASSERT_EQ(charts[0].series[0].strokes.size(), 1u);  // the other is before the recording
  EXPECT_EQ(charts[0].series[0].strokes[0].up, 50'000);
  EXPECT_EQ(charts[0].shades.size(), 1u);
  EXPECT_EQ(charts[0].title, "Go's collector: shop 7");
}

TEST(StudyCharts, ThreeForEachRouteAndOneForAll) {
  const auto s = tests::sample_study();
  const model::Charts charts = plots::charts_of(s.study, 1);
  ASSERT_EQ(charts.charts.size(), 3u);
  EXPECT_EQ(charts.charts[0].name, "latency");
  EXPECT_EQ(charts.charts[1].name, "route-01-latency");
  EXPECT_EQ(charts.charts[2].name, "route-01-time");
  EXPECT_EQ(charts.charts[2].route, 0u);
  ASSERT_EQ(charts.bars.size(), 1u);
  for (const auto& panel : charts.bars[0].panels)
    for (std::size_t bar = 0; bar < panel.bars.size(); ++bar) {
      double sum = 0;
      for (const auto& part : panel.parts) sum += part.shares[bar];
      EXPECT_TRUE(sum == 0 || std::abs(sum - 1) < 1e-6) << panel.title << " " << bar << " " << sum;
    }
}

}  // namespace
}  // namespace tailcap::report::charts
