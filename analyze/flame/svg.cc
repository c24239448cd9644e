#include "analyze/flame/svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

#include "analyze/flame/script.h"

namespace tailcap::flame {

namespace {

constexpr double kWidth = 1200, kMargin = 10, kTop = 64, kBottom = 30, kFrame = 17, kNarrowest = 0.1;
constexpr std::size_t kDeepest = 400;  // what lies above is drawn into the frame there

struct Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> callees;
  std::uint64_t value = 0, typical = 0;
};

void add(Node& root, const flow::FoldedStack& stack) {
  Node* node = &root;
  node->value += stack.value, node->typical += stack.typical;
  std::string_view rest = stack.frames;
  for (std::size_t depth = 0; !rest.empty() && depth < kDeepest; ++depth) {
    const std::string_view name = rest.substr(0, rest.find(';'));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    auto found = node->callees.find(name);
    if (found == node->callees.end()) found = node->callees.emplace(std::string(name), std::make_unique<Node>()).first;
    node = found->second.get();
    node->value += stack.value, node->typical += stack.typical;
  }
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

std::string number(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

std::string colour(int red, int green, int blue) {
  char text[32];
  std::snprintf(text, sizeof text, "rgb(%d,%d,%d)", red, green, blue);
  return text;
}

class Drawing {
 public:
  Drawing(const flow::Flame& flame, std::string& out) : flame_(flame), out_(out) {
    for (const auto& stack : flame.stacks) add(root_, stack);
    depth_ = 0;
    measure(root_, 1);
  }

  void draw();

 private:
  void measure(const Node& node, std::size_t depth);
  void frame(const std::string& name, const Node& node, double begin, std::size_t depth);
  std::string fill(const std::string& name, const Node& node) const;
  std::string amount(std::uint64_t value) const;
  std::string told(const std::string& name, const Node& node) const;
  double width(const Node& node) const {
    return root_.value == 0 ? 0 : (kWidth - 2 * kMargin) * static_cast<double>(node.value) / static_cast<double>(root_.value);
  }
  double share(std::uint64_t value) const {
    return root_.value == 0 ? 0 : 100 * static_cast<double>(value) / static_cast<double>(root_.value);
  }

  const flow::Flame& flame_;
  std::string& out_;
  Node root_;
  std::size_t depth_ = 0;
  double most_ = 0;  // the largest difference of a frame but for the lowest
};

void Drawing::measure(const Node& node, std::size_t depth) {
  depth_ = std::max(depth_, depth);
  if (depth > 1) most_ = std::max(most_, std::abs(static_cast<double>(node.value) - static_cast<double>(node.typical)));
  for (const auto& [name, callee] : node.callees) {
    if (width(*callee) >= kNarrowest) measure(*callee, depth + 1);
  }
}

std::string Drawing::fill(const std::string& name, const Node& node) const {
  if (flame_.comparison) {
    const double difference = static_cast<double>(node.value) - static_cast<double>(node.typical);
    const int pale = most_ == 0 ? 255 : static_cast<int>(255 - 215 * std::min(1.0, std::abs(difference) / most_));
    return difference > 0 ? colour(255, pale, pale) : difference < 0 ? colour(pale, pale, 255) : colour(250, 250, 250);
  }
  std::uint32_t hash = 2166136261u;  // the same name has the same shade everywhere
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  const int shade = static_cast<int>(hash % 56);
  if (flame_.time) return colour(120 + shade, 160 + shade, 235);
  if (name.ends_with("_[k]")) return colour(225, 130 + shade, 40);
  if (name.starts_with("[")) return colour(190 + shade / 2, 190 + shade / 2, 180 + shade / 2);
  return colour(240, 170 + shade, 70 + shade / 2);
}

std::string Drawing::amount(std::uint64_t value) const {
  if (!flame_.time) return std::to_string(value) + (value == 1 ? " sample" : " samples");
  return number(static_cast<double>(value) / 1e6, 3) + " ms";
}

std::string Drawing::told(const std::string& name, const Node& node) const {
  std::string text = name + " (" + amount(node.value) + ", " + number(share(node.value), 2) + " %";
  if (flame_.comparison) text += "; typical " + amount(node.typical);
  return text + ")";
}

void Drawing::frame(const std::string& name, const Node& node, double begin, std::size_t depth) {
  const double wide = width(node), y = kTop + static_cast<double>(depth_ - 1 - depth) * kFrame;
  out_ += "<g class=\"f\" data-d=\"" + std::to_string(depth) + "\"><title>" + escaped(told(name, node)) + "</title><rect x=\"" + number(begin, 3) +
          "\" y=\"" + number(y, 0) + "\" width=\"" + number(wide, 3) + "\" height=\"16\" rx=\"2\" fill=\"" + fill(name, node) + "\"/><text x=\"" +
          number(begin + 3, 3) + "\" y=\"" + number(y + 12, 0) + "\" data-n=\"" + escaped(name) + "\"></text></g>\n";
  double at = begin;
  for (const auto& [callee_name, callee] : node.callees) {
    if (width(*callee) >= kNarrowest) frame(callee_name, *callee, at, depth + 1);
    at += width(*callee);
  }
}

void Drawing::draw() {
  const double high = kTop + static_cast<double>(depth_) * kFrame + kBottom;
  const std::string size = number(kWidth, 0) + "\" height=\"" + number(high, 0);
  out_ += "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"" + size + "\" viewBox=\"0 0 " + number(kWidth, 0) + " " + number(high, 0) +
          "\">\n<style>text{font:12px sans-serif;fill:#222}.f text{font:11px monospace;pointer-events:none}.f rect{stroke:#ccc;stroke-width:.5}"
          ".f{cursor:pointer}.f:hover rect{stroke:#000}.b{cursor:pointer;fill:#06c}.p{opacity:.5}.m rect{fill:#e0f}</style>\n"
          "<rect width=\"100%\" height=\"100%\" fill=\"#fdfcf8\"/>\n<text x=\"600\" y=\"24\" text-anchor=\"middle\" style=\"font-size:16px\">" +
          escaped(flame_.title) + "</text>\n<text x=\"600\" y=\"43\" text-anchor=\"middle\" style=\"fill:#666\">" + escaped(flame_.subtitle) +
          "</text>\n<text id=\"reset\" class=\"b\" x=\"10\" y=\"24\" style=\"display:none\">Reset zoom</text>\n"
          "<text id=\"search\" class=\"b\" x=\"1190\" y=\"24\" text-anchor=\"end\">Search</text>\n"
          "<text id=\"told\" x=\"10\" y=\"" + number(high - 10, 0) + "\"> </text>\n<text id=\"found\" x=\"1190\" y=\"" + number(high - 10, 0) +
          "\" text-anchor=\"end\"> </text>\n";
  if (root_.value > 0) frame("all", root_, kMargin, 0);
  else out_ += "<text x=\"600\" y=\"74\" text-anchor=\"middle\">nothing was seen</text>\n";
  out_ += "<script><![CDATA[\n" + std::string(kScript) + "]]></script>\n</svg>\n";
}

}  // namespace

std::string svg(const flow::Flame& flame) {
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
  Drawing(flame, out).draw();
  return out;
}

}  // namespace tailcap::flame
