// What the first screen of a report draws.
#include <gtest/gtest.h>

#include <vector>

#include "analyze/report/compact/services.h"
#include "analyze/report/compact/sparkline.h"

namespace tailcap::report::compact {
namespace {

using Kind = model::TopologyNode::Kind;

TEST(Sparkline, HeightsAreSharesOfTheLargest) {
  const std::vector<std::int64_t> values = {0, 1, 70, 35, kNothing};
  EXPECT_EQ(sparkline(values, false), "▁▂█▅ ");
  EXPECT_EQ(sparkline(values, true), "_.#= ");
  EXPECT_EQ(sparkline({}, false), "");
  const std::vector<std::int64_t> nothing = {0, 0};
  EXPECT_EQ(sparkline(nothing, false), "▁▁");
}

model::Topology topology(const std::vector<std::pair<Kind, std::string>>& nodes,
                         const std::vector<std::pair<std::uint32_t, std::uint32_t>>& calls) {
  model::Topology out;
  for (const auto& [kind, name] : nodes) out.nodes.push_back({kind, name, 1});
  for (const auto& [from, to] : calls) {
    model::TopologyCall call;
    call.from = from;
    call.to = to;
    out.calls.push_back(call);
  }
  return out;
}

TEST(Services, ByTheirDistanceFromTheCallers) {
  const auto shop = topology({{Kind::callers, "callers"},
                              {Kind::service, "nginx"},
                              {Kind::service, "node :8001"},
                              {Kind::service, "python3"},
                              {Kind::address, "127.0.0.1:5432"}},
                             {{0, 1}, {1, 3}, {3, 2}, {3, 4}});
  EXPECT_EQ(services_text(shop, {}, "→"), "nginx → python3 → node :8001, 127.0.0.1:5432");
  EXPECT_EQ(services_text(shop, {{"node", {1, 3}}, {"nginx", {2}}}, "->"),
            "nginx [answer 2] -> python3 -> node :8001 [answers 1, 3], 127.0.0.1:5432");
}

TEST(Services, InACircleAndByThemselves) {
  EXPECT_EQ(services_text(topology({{Kind::service, "a"}, {Kind::service, "b"}}, {{1, 0}, {0, 1}}), {}, "→"), "b → a");
  EXPECT_EQ(services_text(topology({{Kind::service, "a"}}, {{0, 0}}), {}, "→"), "a");
  EXPECT_EQ(services_text({}, {}, "→"), "");
}

TEST(Services, ManyAreCounted) {
  std::vector<std::pair<Kind, std::string>> nodes;
  for (int i = 0; i < 30; ++i) nodes.push_back({Kind::service, "s" + std::to_string(i)});
  EXPECT_EQ(services_text(topology(nodes, {}), {}, "→"), "s0, s1, s2, s3 and 26 more");
  EXPECT_EQ(services_text(topology(nodes, {}), {{"s7", {2}}, {"s9", {1, 3}}}, "→"),
            "s9 [answers 1, 3], s7 [answer 2], s0, s1 and 26 more");
}

}  // namespace
}  // namespace tailcap::report::compact
