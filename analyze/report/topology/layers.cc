#include "analyze/report/topology/layers.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tailcap::report {
namespace {

constexpr double kBetweenRanks = 24, kBetween = 18;  // pixels
constexpr int kSweeps = 12;

// Anything with a place in a layer: a node, a label, or the point where an edge passes.
struct Item {
  Size size;
  std::uint32_t rank = 0;
  double y = 0;
  std::vector<std::uint32_t> left, right;  // its neighbours in the layers beside
};

class Layout {
 public:
  Layout(const std::vector<Size>& nodes, const std::vector<LayerEdge>& edges)
      : edges_(edges), out_(nodes.size()), in_(nodes.size()), nodes_(nodes.size()) {
    result_.against.resize(edges.size());
    break_cycles();
    rank_nodes();
    for (std::size_t i = 0; i < nodes.size(); ++i) items_.push_back({nodes[i], ranks_[i], 0, {}, {}});
    for (std::size_t e = 0; e < edges.size(); ++e) add_way(e);
    layers_.resize(
        1 + (items_.empty() ? 0 : std::max_element(items_.begin(), items_.end(), [](const Item& a, const Item& b) {
                                    return a.rank < b.rank;
                                  })->rank));
    for (std::uint32_t i = 0; i < items_.size(); ++i) layers_[items_[i].rank].push_back(i);
  }

  Drawing draw() {
    order();
    place();
    std::vector<double> x(layers_.size());
    double at = 0;
    for (std::size_t r = 0; r < layers_.size(); ++r) {
      double width = 0;
      for (const std::uint32_t i : layers_[r]) width = std::max(width, items_[i].size.width);
      x[r] = at + width / 2;
      at += width + kBetweenRanks;
    }
    if (items_.empty()) return {};
    double top = items_[0].y, bottom = top;
    for (const Item& i : items_) {
      top = std::min(top, i.y - i.size.height / 2);
      bottom = std::max(bottom, i.y + i.size.height / 2);
    }
    for (Item& i : items_) i.y -= top;
    result_.size = {std::max(0.0, at - kBetweenRanks), bottom - top};
    const auto centre = [&](std::uint32_t i) { return Point{x[items_[i].rank], items_[i].y}; };
    for (std::uint32_t i = 0; i < nodes_; ++i) result_.nodes.push_back(centre(i));
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      const auto [from, to] = ends(e);
      std::vector<Point> path = {{centre(from).x + items_[from].size.width / 2, centre(from).y}};
      for (const std::uint32_t i : ways_[e])
        for (const double side : {-0.5, 0.5}) path.push_back({centre(i).x + side * items_[i].size.width, centre(i).y});
      path.push_back({centre(to).x - items_[to].size.width / 2, centre(to).y});
      if (result_.against[e]) std::reverse(path.begin(), path.end());
      result_.paths.push_back(std::move(path));
      result_.labels.push_back(centre(ways_[e].front()));
    }
    return std::move(result_);
  }

 private:
  // In drawing order: from left to right.
  std::pair<std::uint32_t, std::uint32_t> ends(std::size_t e) const {
    return result_.against[e] ? std::pair(edges_[e].to, edges_[e].from) : std::pair(edges_[e].from, edges_[e].to);
  }

  // Depth first, from the nodes without callers; an edge to a node that is still being visited is reversed.
  void break_cycles() {
    std::vector<std::vector<std::size_t>> of(nodes_);
    std::vector<bool> called(nodes_);
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      of[edges_[e].from].push_back(e);
      called[edges_[e].to] = true;
    }
    std::vector<std::uint8_t> state(nodes_);  // 1: being visited, 2: done
    const auto visit = [&](std::uint32_t root) {
      if (state[root] != 0) return;
      std::vector<std::pair<std::uint32_t, std::size_t>> stack = {{root, 0}};
      state[root] = 1;
      while (!stack.empty()) {
        auto& [node, next] = stack.back();
        if (next == of[node].size()) {
          state[node] = 2;
          stack.pop_back();
          continue;
        }
        const std::size_t e = of[node][next++];
        const std::uint32_t to = edges_[e].to;
        if (state[to] == 1) result_.against[e] = true;
        if (state[to] != 0) continue;
        state[to] = 1;
        stack.emplace_back(to, 0);
      }
    };
    for (std::uint32_t n = 0; n < nodes_; ++n)
      if (!called[n]) visit(n);
    for (std::uint32_t n = 0; n < nodes_; ++n) visit(n);
    for (std::size_t e = 0; e < edges_.size(); ++e) {
      out_[ends(e).first].push_back(ends(e).second);
      in_[ends(e).second].push_back(ends(e).first);
    }
  }

  // Each edge spans at least two ranks: the one between is its label's.
  void rank_nodes() {
    ranks_.assign(nodes_, 0);
    std::vector<std::size_t> waits(nodes_);
    std::vector<std::uint32_t> ready;
    for (std::uint32_t n = 0; n < nodes_; ++n)
      if ((waits[n] = in_[n].size()) == 0) ready.push_back(n);
    for (std::size_t at = 0; at < ready.size(); ++at)
      for (const std::uint32_t to : out_[ready[at]]) {
        ranks_[to] = std::max(ranks_[to], ranks_[ready[at]] + 2);
        if (--waits[to] == 0) ready.push_back(to);
      }
    // A node without callers is placed right before the first node that it calls.
    for (std::uint32_t n = 0; n < nodes_; ++n) {
      if (!in_[n].empty() || out_[n].empty()) continue;
      std::uint32_t first = UINT32_MAX;
      for (const std::uint32_t to : out_[n]) first = std::min(first, ranks_[to]);
      ranks_[n] = first - 2;
    }
  }

  void add_way(std::size_t e) {
    const auto [from, to] = ends(e);
    std::uint32_t before = from;
    ways_.emplace_back();
    for (std::uint32_t r = ranks_[from] + 1; r <= ranks_[to]; ++r) {
      std::uint32_t next = to;
      if (r < ranks_[to]) {
        next = static_cast<std::uint32_t>(items_.size());
        items_.push_back({ways_.back().empty() ? edges_[e].label : Size{0, 8}, r, 0, {}, {}});
        ways_.back().push_back(next);
      }
      items_[before].right.push_back(next);
      items_[next].left.push_back(before);
      before = next;
    }
  }

  // Orders each layer by its neighbours' positions, to and fro, so that edges cross little.
  void order() {
    std::vector<double> position(items_.size());
    const auto number = [&](const std::vector<std::uint32_t>& layer) {
      for (std::size_t i = 0; i < layer.size(); ++i)
        position[layer[i]] = static_cast<double>(i) - static_cast<double>(layer.size()) / 2;
    };
    for (const auto& layer : layers_) number(layer);
    for (int sweep = 0; sweep < kSweeps; ++sweep) {
      const bool forth = sweep % 2 == 0;
      for (std::size_t k = 0; k < layers_.size(); ++k) {
        auto& layer = layers_[forth ? k : layers_.size() - 1 - k];
        std::vector<std::pair<double, std::uint32_t>> wanted;
        for (const std::uint32_t i : layer)
          wanted.emplace_back(mean(forth ? items_[i].left : items_[i].right, position, position[i]), i);
        std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
        for (std::size_t i = 0; i < layer.size(); ++i) layer[i] = wanted[i].second;
        number(layer);
      }
    }
  }

  static double mean(const std::vector<std::uint32_t>& of, const std::vector<double>& values, double otherwise) {
    if (of.empty()) return otherwise;
    double sum = 0;
    for (const std::uint32_t i : of) sum += values[i];
    return sum / static_cast<double>(of.size());
  }

  // Places each item as near to the height of its neighbours as the order and the spacing allow.
  void place() {
    const auto apart = [&](std::uint32_t a, std::uint32_t b) {
      return (items_[a].size.height + items_[b].size.height) / 2 + kBetween;
    };
    for (const auto& layer : layers_) {
      double y = 0;
      for (std::size_t i = 0; i < layer.size(); ++i) {
        items_[layer[i]].y = y;
        y += i + 1 < layer.size() ? apart(layer[i], layer[i + 1]) : 0;
      }
      for (const std::uint32_t i : layer) items_[i].y -= y / 2;
    }
    std::vector<double> now(items_.size());
    for (int sweep = 0; sweep < 4 * kSweeps; ++sweep) {
      for (std::size_t k = 0; k < layers_.size(); ++k) {
        const auto& layer = layers_[sweep % 2 == 0 ? k : layers_.size() - 1 - k];
        for (std::size_t i = 0; i < items_.size(); ++i) now[i] = items_[i].y;
        std::vector<double> down(layer.size()), up(layer.size());
        for (std::size_t i = 0; i < layer.size(); ++i) {
          const Item& item = items_[layer[i]];
          std::vector<std::uint32_t> both = item.left;
          both.insert(both.end(), item.right.begin(), item.right.end());
          down[i] = up[i] = mean(both, now, item.y);
        }
        for (std::size_t i = 1; i < layer.size(); ++i)
          down[i] = std::max(down[i], down[i - 1] + apart(layer[i - 1], layer[i]));
        for (std::size_t i = layer.size(); i-- > 1;)
          up[i - 1] = std::min(up[i - 1], up[i] - apart(layer[i - 1], layer[i]));
        for (std::size_t i = 0; i < layer.size(); ++i) items_[layer[i]].y = (down[i] + up[i]) / 2;
      }
    }
  }

  const std::vector<LayerEdge>& edges_;
  std::vector<std::vector<std::uint32_t>> out_, in_;
  std::vector<std::uint32_t> ranks_;
  std::vector<Item> items_;  // the nodes first
  std::vector<std::vector<std::uint32_t>>
      ways_;  // by edge: the items between its ends, from left to right; the label first
  std::vector<std::vector<std::uint32_t>> layers_;  // items in order
  std::size_t nodes_;
  Drawing result_;
};

}  // namespace

Drawing draw_layers(const std::vector<Size>& nodes, const std::vector<LayerEdge>& edges) {
  return Layout(nodes, edges).draw();
}

}  // namespace tailcap::report
