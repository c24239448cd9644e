#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "analyze/report/charts/ink.h"
#include "analyze/report/topology/layers.h"
#include "analyze/report/topology/topology.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/sampling.h"
#include "ground/svg.h"

namespace tailcap::report {
namespace {

using ground::coordinate;
using ground::Svg;
using model::Topology;
using model::TopologyCall;
using model::TopologyNode;

constexpr std::size_t kMaxDrawn = 60;  // calls; more is no picture
constexpr std::size_t kNameWidth = 34;
constexpr double kMargin = 8, kLine = 15;
// Widths in the fonts that browsers use for sans-serif: wide enough for each of them.
constexpr double kNameLetter = 8.0, kLetter = 6.5;

constexpr std::string_view kAlarmInk = "fill:var(--alarm,#a40e26)";

struct Written {
  std::string text;
  bool alarm = false;
};

// Above the line how much, below it how fast, and what went wrong.
std::vector<Written> lines_beside(const TopologyCall& c) {
  std::vector<Written> out = {
      {route_rate_text(c.calls) + (c.protocol.empty() ? "" : " " + printable(c.protocol)), false}};
  std::string times;
  for (const std::size_t q : {std::size_t{0}, std::size_t{3}}) {
    const model::Quantile quantile = rising(c.calls.latency)[q];
    if (quantile.support == model::Support::refused) continue;
    times += (times.empty() ? "" : ", ") + quantile_name(model::kQuantiles[q]) + " " + quantile_text(quantile).value;
  }
  if (!times.empty()) out.push_back({times, false});
  if (const std::string errors = errors_text(c.calls.errors(), c.calls.count + c.calls.incomplete); !errors.empty())
    out.push_back({errors, c.failing()});
  return out;
}

Size size_of(const std::vector<Written>& lines) {
  std::size_t width = 0;
  for (const Written& l : lines) width = std::max(width, columns(l.text));
  // The line passes below the first: as much room above it as below.
  const std::size_t half = std::max<std::size_t>(1, lines.size() - 1);
  return {static_cast<double>(width) * kLetter + 10, static_cast<double>(2 * half) * kLine};
}

void add_text(double x, double y, std::string_view text, const std::string& style, Svg& out) {
  out.text({{"x", x}, {"y", y}, {"style", style}}, text).line();
}

std::string curve_of(const std::vector<Point>& points) {
  ground::Path d;
  d('M', {points[0].x, points[0].y});
  for (std::size_t i = 1; i < points.size(); ++i) {
    const Point &a = points[i - 1], &b = points[i];
    const double middle = (a.x + b.x) / 2;
    d('C', {middle, a.y, middle, b.y, b.x, b.y});
  }
  return d.take();
}

class Picture {
 public:
  Picture(const Topology& t, TopologyPicture how) : t_(t), how_(how) {
    for (const TopologyCall& c : t.calls) {  // the most first
      if (drawn_.size() == kMaxDrawn) break;
      if (c.from != c.to) {
        place_of(c.from);
        place_of(c.to);
        drawn_.push_back(&c);
      } else
        self_[place_of(c.from)] = &c;
    }
  }

  std::string draw() {
    if (nodes_.empty()) return {};
    std::vector<Size> sizes;
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) {
      const auto lines = lines_of(i);
      double width = static_cast<double>(columns(lines[0].text)) * kNameLetter;
      for (const Written& l : lines) width = std::max(width, static_cast<double>(columns(l.text)) * kLetter);
      sizes.push_back({width + 28, 20 + static_cast<double>(lines.size()) * kLine});
    }
    std::vector<LayerEdge> edges;
    for (const TopologyCall* c : drawn_) edges.push_back({places_[c->from], places_[c->to], size_of(lines_beside(*c))});
    const Drawing d = draw_layers(sizes, edges);
    const std::string width = coordinate(d.size.width + 2 * kMargin), height = coordinate(d.size.height + 2 * kMargin);
    Svg out;
    out.open("svg", {{"xmlns", "http://www.w3.org/2000/svg"},
                     {"viewBox", "0 0 " + width + " " + height},
                     {"width", width},
                     {"height", height},
                     {"style", "width:" + width + "px;max-width:100%;height:auto"},
                     {"font-family", "sans-serif"},
                     {"font-size", 11.5},
                     {"text-anchor", "middle"},
                     {"role", "img"}})
        .line()
        .text({}, "Calls between services", "title")
        .line()
        .open("g", {{"transform", "translate(" + coordinate(kMargin) + " " + coordinate(kMargin) + ")"}})
        .line();
    std::uint64_t most = 1;
    for (const TopologyCall* c : drawn_) most = std::max(most, c->calls.count + c->calls.incomplete);
    for (std::size_t e = 0; e < drawn_.size(); ++e)
      add_edge(*drawn_[e], d.paths[e], d.against[e], d.labels[e], most, out);
    for (std::uint32_t i = 0; i < nodes_.size(); ++i) add_node(i, d.nodes[i], sizes[i], out);
    return out.close("g").line().close("svg").line().take();
  }

 private:
  std::uint32_t place_of(std::uint32_t node) {
    const auto [at, fresh] = places_.try_emplace(node, static_cast<std::uint32_t>(nodes_.size()));
    if (fresh) nodes_.push_back(node);
    return at->second;
  }

  std::vector<Written> lines_of(std::uint32_t place) const {
    const TopologyNode& n = t_.nodes[nodes_[place]];
    std::vector<Written> lines = {{shortened(printable(n.shown()), kNameWidth), false}};
    lines.push_back({n.kind == TopologyNode::Kind::service ? count_text(n.processes, "process", "processes")
                                                           : "not found in this capture",
                     false});
    if (const auto self = self_.find(place); self != self_.end()) {
      lines.push_back({"calls itself", false});
      for (Written& l : lines_beside(*self->second)) lines.push_back(std::move(l));
    }
    return lines;
  }

  void add_node(std::uint32_t place, Point at, Size size, Svg& out) const {
    const bool service = t_.nodes[nodes_[place]].kind == TopologyNode::Kind::service;
    begin_part("node", nodes_[place], out);
    out.leaf("rect", {{"x", at.x - size.width / 2},
                      {"y", at.y - size.height / 2},
                      {"width", size.width},
                      {"height", size.height},
                      {"rx", 7},
                      {"style", std::string("fill:var(--panel,#f6f8fa);stroke:var(--soft,#57606a);stroke-width:1.2") +
                                    (service ? "" : ";stroke-dasharray:5 4;fill:var(--bg,#fff)")}})
        .line();
    double y = at.y - size.height / 2 + 10 + 11;
    const auto lines = lines_of(place);
    for (std::size_t i = 0; i < lines.size(); ++i, y += kLine) {
      std::string style(i == 0 ? kInk : lines[i].alarm ? kAlarmInk : kSoftInk);
      style += i == 0 ? ";font-size:13.5px;font-weight:600" : lines[i].alarm ? ";font-weight:600" : "";
      add_text(at.x, y, lines[i].text, style, out);
    }
    end_part(out);
  }

  void begin_part(const char* what, std::size_t number, Svg& out) const {
    if (how_ == TopologyPicture::of_page) out.open("g", {{"class", what}, {"data-number", number}});
  }
  void end_part(Svg& out) const {
    if (how_ == TopologyPicture::of_page) out.close("g").line();
  }

  void add_edge(const TopologyCall& c, const std::vector<Point>& path, bool against, Point label, std::uint64_t most,
                Svg& out) const {
    const std::string colour = c.failing() ? "var(--alarm,#a40e26)" : "var(--soft,#57606a)";
    const double share = static_cast<double>(c.calls.count + c.calls.incomplete) / static_cast<double>(most);
    const Point tip = path.back();
    const double back = against ? 9 : -9;
    std::vector<Point> line = path;
    line.back().x += back * 0.8;
    begin_part("call", static_cast<std::size_t>(&c - t_.calls.data()), out);
    if (how_ == TopologyPicture::of_page)  // wide enough to be met by a pointer
      out.leaf("path",
               {{"class", "near"}, {"d", curve_of(line)}, {"style", "fill:none;stroke:transparent;stroke-width:16"}});
    out.leaf("path",
             {{"d", curve_of(line)},
              {"style", "fill:none;stroke:" + colour + ";stroke-width:" + coordinate(1.2 + 2.3 * std::sqrt(share))}})
        .line()
        .leaf("path", {{"d", ground::Path()('M', {tip.x, tip.y})('l', {back, -4.5})('v', {9})('z').take()},
                       {"style", "fill:" + colour}})
        .line();
    auto lines = lines_beside(c);
    if (against) lines[0].text = "← " + lines[0].text;  // its arrow is easily missed
    for (std::size_t i = 0; i < lines.size(); ++i)
      add_text(label.x, label.y + (i == 0 ? -6 : 1 + static_cast<double>(i) * kLine), lines[i].text,
               std::string(lines[i].alarm ? kAlarmInk : kInk) + (lines[i].alarm ? ";font-weight:600" : ""), out);
    end_part(out);
  }

  const Topology& t_;
  const TopologyPicture how_;
  std::vector<const TopologyCall*> drawn_;
  std::vector<std::uint32_t> nodes_;  // drawn, as numbers in t_
  std::map<std::uint32_t, std::uint32_t> places_;
  std::map<std::uint32_t, const TopologyCall*> self_;
};

}  // namespace

std::string svg_topology(const Topology& t, TopologyPicture how) { return Picture(t, how).draw(); }

std::string svg_caption(const Topology& t) {
  std::string out =
      "Calls between services: the wider the line, the more requests; red: at least one in a hundred failed at the "
      "server or "
      "broke off; dashed: not found in this capture. "
      "Times are the callers', where they were recorded.";
  std::size_t between = 0;
  for (const TopologyCall& c : t.calls) between += c.from != c.to;
  if (between > kMaxDrawn)
    out += " The " + count_text(between - kMaxDrawn) + " pairs with the fewest requests are left out.";
  return out;
}

}  // namespace tailcap::report
