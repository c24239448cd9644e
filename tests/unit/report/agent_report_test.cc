#include "analyze/report/agent_report.h"

#include <gtest/gtest.h>

#include "analyze/report/report.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/quantiles.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::report::answers_for_agents {
namespace {

bool contains(const std::string& text, std::string_view what) { return text.find(what) != text.npos; }

ReportOptions options() {
  ReportOptions o;
  o.file = "slow.tcap";
  return o;
}

// Routes with long names, each with an answer of its own and a table of differences behind it.
tests::SampleStudy with_routes(std::size_t routes) {
  tests::SampleStudy s = tests::sample_study();
  s.study.routes.clear();
  s.study.verdicts.clear();
  for (std::size_t i = 0; i < routes; ++i) {
    const std::string name = "/" + std::to_string(i) + std::string(100, 'x') + "/{}";
    model::RouteStudy route = tests::sample_route("GET", name, 1.5, 2000);
    model::TailStudy& tail = *route.tail;
    tail.slow = tail.typical = 100;
    tail.slow_mean = 40'000'000;
    tail.typical_mean = 1'000'000;
    for (const auto label : {model::Label::lock_futex, model::Label::io_disk, model::Label::sched_runq}) {
      model::LabelDifference d;
      d.label = label;
      d.slow = 13'000'000;
      tail.labels.push_back(d);
    }
    model::Verdict v;
    v.kind = model::VerdictKind::tail;
    v.level = model::VerdictLevel::severe;
    v.routes = {static_cast<std::uint32_t>(i)};
    v.requests = 100;
    v.of = 2000;
    v.slow = tail.slow_mean;
    v.typical = tail.typical_mean;
    v.parts.emplace_back();
    v.parts.back().label = model::Label::lock_futex;
    v.parts.back().slow = 30'000'000;
    v.examples = {{static_cast<std::uint32_t>(i + 1), 7}};
    tail.verdict = v;
    s.study.verdicts.push_back(v);
    s.study.routes.push_back(std::move(route));
  }
  return s;
}

TEST(AgentReport, SizeIsBoundedForManyRoutes) {
  for (const std::size_t routes : {1, 5, 20, 60, 400}) {
    const auto s = with_routes(routes);
    auto o = options();
    for (const std::size_t answers : {8, 60}) {
      o.sentences = answers;
      const std::string text = agent_report(s.study, s.table, o);
      EXPECT_LE(text.size(), kAgentBytes) << routes;
      EXPECT_TRUE(contains(text, "Complete: ")) << routes;
      EXPECT_TRUE(contains(text, "GET /0xxx")) << routes;
      EXPECT_TRUE(contains(text, "waiting for a lock")) << routes;
      EXPECT_TRUE(contains(text, "tailcap show slow.tcap 1.7")) << routes;
      EXPECT_TRUE(contains(text, "average, ms")) << routes;
      EXPECT_EQ(contains(text, "Left out for length"), routes > 5) << routes << "\n" << text;
    }
  }
}

TEST(AgentReport, HostileNamesDoNotOverrunIt) {
  const auto s = tests::hostile_study();
  auto o = options();
  o.file = std::string(5000, 'f');
  o.scope = std::string(5000, 's');
  EXPECT_LE(agent_report(s.study, s.table, o).size(), kAgentBytes);
}

TEST(BriefReport, IsTheQualityLineAndTheAnswers) {
  const auto s = with_routes(2);
  auto o = options();
  o.brief = true;
  const std::string text = text_report(s.study, s.table, o);
  EXPECT_TRUE(contains(text, "no events lost"));
  EXPECT_TRUE(contains(text, "tailcap show slow.tcap 1.7"));
  for (const char* rest : {"Incoming requests", "Route by route", "About this recording", "What the words mean"})
    EXPECT_FALSE(contains(text, rest)) << rest;
}

TEST(Quantiles, BoundsDoNotFallBelowASmallerQuantile) {
  Quantiles quantiles;
  const auto set = [&](std::size_t i, model::Support support, double value, double low) {
    quantiles[i] = {model::kQuantiles[i], support, tests::ms(value), tests::ms(low), tests::ms(value), 100, ""};
  };
  set(0, model::Support::full, 2, 1.9);
  set(1, model::Support::low, 3.54, 3);
  set(2, model::Support::lower_only, 4, 3.13);
  set(3, model::Support::refused, 0, 0);
  set(4, model::Support::lower_only, 9, 6.75);
  const Quantiles risen = rising(quantiles);
  EXPECT_EQ(quantile_text(risen[1]).value, "~3.54 ms");
  EXPECT_EQ(quantile_text(risen[2]).value, "≥ 3.54 ms");
  EXPECT_EQ(quantile_text(risen[3]).value, "refused");
  EXPECT_EQ(quantile_text(risen[4]).value, "≥ 6.75 ms");
}

TEST(Errors, AreCountedOneWay) {
  EXPECT_EQ(errors_text({}, 3000), "");
  EXPECT_EQ(errors_text({.server = 39, .client = 22}, 3000), "39 × 5xx (1.3 %), 22 × 4xx");
  EXPECT_EQ(errors_text({.client = 30, .other = 3}, 3000), "30 × 4xx (1.0 %), 3 broken off (0.10 %)");
  EXPECT_EQ(error_parts({.server = 39, .client = 22, .other = 1}, 0),
            (std::vector<std::string>{"39 × 5xx", "22 × 4xx", "1 broken off"}));
}

}  // namespace
}  // namespace tailcap::report::answers_for_agents
