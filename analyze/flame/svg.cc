#include "analyze/flame/svg.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "analyze/flame/canvas.h"
#include "ground/text.h"

namespace tailcap::flame {

namespace {

constexpr double kNarrowest = 0.1, kNarrowestStill = 1;
constexpr std::size_t kDeepest = 400;  // what lies above is drawn into the frame there

struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> callees;
  std::uint64_t value = 0, typical = 0;
};

void add(Node& root, const model::FoldedStack& stack) {
  Node* node = &root;
  node->value += stack.value;
  node->typical += stack.typical;
  std::string_view rest = stack.frames;
  for (std::size_t depth = 0; !rest.empty() && depth < kDeepest; ++depth) {
    const std::string_view name = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    auto found = node->callees.find(name);
    if (found == node->callees.end()) found = node->callees.emplace(std::string(name), std::make_unique<Node>()).first;
    node = found->second.get();
    node->value += stack.value;
    node->typical += stack.typical;
  }
}

class Drawing {
 public:
  Drawing(const model::Flame& flame, bool still) : flame_(flame), still_(still) {
    for (const auto& stack : flame.stacks) add(root_, stack);
    depth_ = 0;
    measure(root_, 1);
  }

  std::string draw();

 private:
  void measure(const Node& node, std::size_t depth);
  void frame(const std::string& name, const Node& node, double begin, std::size_t depth);
  std::string fill(const std::string& name, const Node& node) const;
  std::string amount(std::uint64_t value) const;
  std::string told(const std::string& name, const Node& node) const;
  double width(const Node& node) const {
    return root_.value == 0 ? 0
                            : ((still_ ? kStillWidth : kWidth) - 2 * kMargin) * static_cast<double>(node.value) /
                                  static_cast<double>(root_.value);
  }
  double narrowest() const { return still_ ? kNarrowestStill : kNarrowest; }
  double share(std::uint64_t value) const {
    return root_.value == 0 ? 0 : 100 * static_cast<double>(value) / static_cast<double>(root_.value);
  }

  const model::Flame& flame_;
  const bool still_;
  std::string out_;
  Node root_;
  std::size_t depth_ = 0;
  double most_ = 0;  // the largest difference of a frame but for the lowest
};

void Drawing::measure(const Node& node, std::size_t depth) {
  depth_ = std::max(depth_, depth);
  if (depth > 1) most_ = std::max(most_, std::abs(static_cast<double>(node.value) - static_cast<double>(node.typical)));
  for (const auto& [name, callee] : node.callees) {
    if (width(*callee) >= narrowest()) measure(*callee, depth + 1);
  }
}

std::string Drawing::fill(const std::string& name, const Node& node) const {
  if (flame_.comparison) {
    const double difference = static_cast<double>(node.value) - static_cast<double>(node.typical);
    const int pale = most_ == 0 ? 255 : static_cast<int>(255 - 215 * std::min(1.0, std::abs(difference) / most_));
    return difference > 0 ? colour(255, pale, pale) : difference < 0 ? colour(pale, pale, 255) : colour(250, 250, 250);
  }
  const int shade = shade_of(name);
  if (flame_.time) return colour(120 + shade, 160 + shade, 235);
  if (name.ends_with("_[k]")) return colour(225, 130 + shade, 40);
  if (name.starts_with("[")) return colour(190 + shade / 2, 190 + shade / 2, 180 + shade / 2);
  return colour(240, 170 + shade, 70 + shade / 2);
}

std::string Drawing::amount(std::uint64_t value) const {
  if (flame_.bytes) return std::to_string(value) + (value == 1 ? " byte" : " bytes");
  if (!flame_.time) return std::to_string(value) + (value == 1 ? " sample" : " samples");
  return number(static_cast<double>(value) / 1e6, 3) + " ms";
}

std::string Drawing::told(const std::string& name, const Node& node) const {
  std::string text = name + " (" + amount(node.value) + ", " + ground::share_text(node.value, root_.value);
  if (flame_.comparison) text += "; typical " + amount(node.typical);
  return text + ")";
}

void Drawing::frame(const std::string& name, const Node& node, double begin, std::size_t depth) {
  const double y = kTop + static_cast<double>(depth_ - 1 - depth) * kFrame;
  if (still_)
    out_ += still_frame_svg(name, told(name, node), begin, y, width(node), fill(name, node));
  else
    out_ += frame_svg(name, told(name, node), begin, y, width(node), depth, fill(name, node));
  double at = begin;
  for (const auto& [callee_name, callee] : node.callees) {
    if (width(*callee) >= narrowest()) frame(callee_name, *callee, at, depth + 1);
    at += width(*callee);
  }
}

std::string Drawing::draw() {
  if (root_.value > 0) frame("all", root_, kMargin, 0);
  if (still_) return out_.empty() ? out_ : still(depth_, out_);
  return canvas(flame_.title, flame_.subtitle, depth_, out_);
}

}  // namespace

std::string svg(const model::Flame& flame) { return Drawing(flame, false).draw(); }

std::string snapshot(const model::Flame& flame) { return Drawing(flame, true).draw(); }

}  // namespace tailcap::flame
