// A layered drawing of a graph: callers on the left, what they call on the right, what is written on an edge in its
// way.
#pragma once

#include <cstdint>
#include <vector>

namespace tailcap::report {

struct Size {
  double width = 0, height = 0;
};
struct Point {
  double x = 0, y = 0;
};
struct LayerEdge {
  std::uint32_t from = 0, to = 0;  // different nodes
  Size label;
};
struct Drawing {
  Size size;
  std::vector<Point> nodes;   // centres
  std::vector<Point> labels;  // centres, by edge
  // From the right side of `from` to the left side of `to`; of an edge against the direction of the others (a cycle)
  // from the left side of `from` to the right side of `to`. Between two points the line leaves and comes horizontally.
  std::vector<std::vector<Point>> paths;
  std::vector<bool> against;
};

// The same graph gives the same drawing. Takes time with the square of what is in one layer: for some hundred edges.
Drawing draw_layers(const std::vector<Size>& nodes, const std::vector<LayerEdge>& edges);

}  // namespace tailcap::report
