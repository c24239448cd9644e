#include "analyze/query/gate_expression.h"

#include <gtest/gtest.h>

#include "analyze/compare/gates.h"
#include "analyze/query/filter.h"
#include "analyze/query/slo_file.h"

namespace tailcap::query {
namespace {

using model::gate::Gate;
using model::gate::Metric;

std::string refused(std::string_view text) {
  try {
    gate_of(text);
  } catch (const FilterError& e) {
    return e.what();
  }
  return "";
}

TEST(GateExpression, Latency) {
  const Gate ratio = gate_of("p99(/pay) > +10%");
  EXPECT_EQ(ratio.metric.kind, Metric::Kind::p99);
  EXPECT_EQ(ratio.route, "/pay");
  EXPECT_EQ(ratio.unit, Gate::Unit::ratio);
  EXPECT_DOUBLE_EQ(ratio.threshold, 0.1);
  const Gate absolute = gate_of("mean( POST /pay/{} )>+1.5ms");
  EXPECT_EQ(absolute.route, "POST /pay/{}");
  EXPECT_EQ(absolute.unit, Gate::Unit::absolute);
  EXPECT_DOUBLE_EQ(absolute.threshold, 1'500'000);
  EXPECT_EQ(gate_of("p50 > +5%").route, "");
}

// Limits of assert and increases of compare are one language: each metric has one name and one way to write an amount.
TEST(GateExpression, SpeaksTheLanguageOfLimits) {
  for (const std::string_view name : model::gate::metric_names()) {
    const Metric metric = *model::gate::metric_of(name);
    const bool bytes = metric.kind == Metric::Kind::count && model::gate::of_bytes(metric.which);
    const std::string amount = metric.share() ? "0.5" : metric.timed() ? "5ms" : bytes ? "4kB" : "1.5";
    const auto slos = slos_of("slos: [{route: POST /pay/*, at_most: {" + std::string(name) + ": " + amount +
                              (metric.share() ? "%" : "") + "}}]");
    const Gate gate = gate_of(std::string(name) + "(POST /pay/*) > +" + amount + (metric.share() ? "pt" : ""));
    EXPECT_EQ(slos[0].objectives[0].metric, gate.metric) << name;
    EXPECT_EQ(slos[0].route, gate.route) << name;
    EXPECT_EQ(gate.unit, Gate::Unit::absolute) << name;
    EXPECT_DOUBLE_EQ(slos[0].objectives[0].limit, gate.threshold) << name;
  }
}

TEST(GateExpression, OtherMetrics) {
  const Gate lock = gate_of("lock.futex(*) > +5ms");
  EXPECT_EQ(lock.metric.kind, Metric::Kind::label);
  EXPECT_EQ(lock.metric.which, static_cast<std::uint8_t>(model::Label::lock_futex));
  EXPECT_DOUBLE_EQ(gate_of("errors(/pay) > +0.5pt").threshold, 0.005);
  EXPECT_DOUBLE_EQ(gate_of("calls(/pay) > +0").threshold, 0);
  EXPECT_DOUBLE_EQ(gate_of("response_bytes(/pay) > +4kB").threshold, 4000);
  EXPECT_EQ(gate_of("calls((other)) > +50%").route, "(other)");
}

TEST(GateExpression, EveryMetricHasAName) {
  for (const std::string_view name : model::gate::metric_names()) {
    const auto metric = model::gate::metric_of(name);
    ASSERT_TRUE(metric) << name;
    EXPECT_EQ(model::gate::name_of(*metric), name);
  }
}

TEST(GateExpression, ErrorsGiveTheColumn) {
  EXPECT_NE(refused("erors(/pay) > +1pt").find("column 1: 'erors' is not a metric: did you mean 'errors'?"),
            std::string::npos);
  EXPECT_NE(refused("p99(/pay) < +10%").find("column 11: a '>' is expected"), std::string::npos);
  EXPECT_NE(refused("p99(/pay) > 10%").find("column 13: an increase is expected"), std::string::npos);
  EXPECT_NE(refused("p99(/pay) > +10").find("column 13"), std::string::npos);
  EXPECT_NE(refused("errors(/pay) > +10%").find("percentage points"), std::string::npos);
  EXPECT_NE(refused("p99(/pay > +10%").find("column 4: this '(' is never closed"), std::string::npos);
  EXPECT_NE(refused("p99() > +10%").find("column 5: a route is expected"), std::string::npos);
  EXPECT_NE(refused("p99(/ü) > +x%").find("column 11"), std::string::npos);  // characters, not bytes
  EXPECT_NE(refused("p99(/pay) > +10% && p50 > +1%").find("column 18: the gate should end here"), std::string::npos);
  EXPECT_NE(refused("").find("column 1"), std::string::npos);
}

TEST(GateRoutes, Patterns) {
  const model::gate::RouteName name{model::Role::server, "POST", "/pay/{}", ""};
  for (const char* yes : {"", "*", "/pay/{}", "POST /pay/{}", "/pay/*", "POST /*"})
    EXPECT_TRUE(compare::matches(yes, name)) << yes;
  for (const char* no : {"/pay", "GET /pay/{}", "GET /*", "/other/*"}) EXPECT_FALSE(compare::matches(no, name)) << no;
}

}  // namespace
}  // namespace tailcap::query
