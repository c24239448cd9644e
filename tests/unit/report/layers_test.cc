// Drawings of graphs: callers are left of the services they call, and nothing overlaps.
#include "analyze/report/topology/layers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

namespace tailcap::report {
namespace {

struct Box {
  Point at;
  Size size;
};

bool overlap(const Box& a, const Box& b) {
  return std::abs(a.at.x - b.at.x) * 2 < a.size.width + b.size.width - 1e-6 &&
         std::abs(a.at.y - b.at.y) * 2 < a.size.height + b.size.height - 1e-6;
}

void expect_sound(const std::vector<Size>& nodes, const std::vector<LayerEdge>& edges) {
  const Drawing d = draw_layers(nodes, edges);
  ASSERT_EQ(d.nodes.size(), nodes.size());
  ASSERT_EQ(d.paths.size(), edges.size());
  std::vector<Box> boxes;
  double top = d.size.height, bottom = 0;
  for (std::size_t i = 0; i < nodes.size(); ++i) boxes.push_back({d.nodes[i], nodes[i]});
  for (std::size_t e = 0; e < edges.size(); ++e) boxes.push_back({d.labels[e], edges[e].label});
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_GE(boxes[i].at.x - boxes[i].size.width / 2, -1e-6);
    EXPECT_GE(boxes[i].at.y - boxes[i].size.height / 2, -1e-6);
    EXPECT_LE(boxes[i].at.x + boxes[i].size.width / 2, d.size.width + 1e-6);
    EXPECT_LE(boxes[i].at.y + boxes[i].size.height / 2, d.size.height + 1e-6);
    top = std::min(top, boxes[i].at.y - boxes[i].size.height / 2);
    bottom = std::max(bottom, boxes[i].at.y + boxes[i].size.height / 2);
    for (std::size_t k = 0; k < i; ++k) EXPECT_FALSE(overlap(boxes[i], boxes[k])) << i << " on " << k;
  }
  for (const auto& path : d.paths)
    for (const Point& p : path) {
      top = std::min(top, p.y);
      bottom = std::max(bottom, p.y);
    }
  EXPECT_LT(top, 5) << "no empty margin";
  EXPECT_GT(bottom, d.size.height - 5);
  for (std::size_t e = 0; e < edges.size(); ++e) {
    const double from = d.nodes[edges[e].from].x, to = d.nodes[edges[e].to].x;
    EXPECT_EQ(d.against[e], from > to) << "an edge goes right unless it closes a circle";
    const double side = d.against[e] ? -0.5 : 0.5;
    EXPECT_DOUBLE_EQ(d.paths[e].front().x, from + side * nodes[edges[e].from].width);
    EXPECT_DOUBLE_EQ(d.paths[e].back().x, to - side * nodes[edges[e].to].width);
  }
}

TEST(Layers, Nothing) { EXPECT_TRUE(draw_layers({}, {}).nodes.empty()); }

TEST(Layers, ACircleHasOneEdgeAgainst) {
  const std::vector<LayerEdge> edges = {{0, 1, {40, 20}}, {1, 2, {40, 20}}, {2, 0, {40, 20}}};
  const Drawing d = draw_layers({{50, 30}, {50, 30}, {50, 30}}, edges);
  EXPECT_EQ(d.against, (std::vector<bool>{false, false, true}));
  expect_sound({{50, 30}, {50, 30}, {50, 30}}, edges);
}

TEST(Layers, AnyGraph) {
  std::mt19937 random(5);
  for (int round = 0; round < 60; ++round) {
    const auto n = 1 + random() % 25;
    std::vector<Size> nodes;
    for (std::size_t i = 0; i < n; ++i) nodes.push_back({20.0 + random() % 100, 20.0 + random() % 60});
    std::vector<LayerEdge> edges;
    for (std::size_t i = 0; i < random() % 60; ++i) {
      const auto a = static_cast<std::uint32_t>(random() % n), b = static_cast<std::uint32_t>(random() % n);
      if (a != b) edges.push_back({a, b, {10.0 + random() % 90, 10.0 + random() % 40}});
    }
    SCOPED_TRACE(round);
    expect_sound(nodes, edges);
  }
}

}  // namespace
}  // namespace tailcap::report
