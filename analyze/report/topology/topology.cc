#include "analyze/report/topology/topology.h"

#include <algorithm>

#include "analyze/render/document.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/sampling.h"

namespace tailcap::report {
namespace {

using model::Topology;
using model::TopologyCall;
using model::TopologyNode;
using NodeKind = TopologyNode::Kind;

constexpr std::size_t kP50 = 0, kP99 = 3;  // in model::kQuantiles
constexpr std::size_t kTopologyWidth = 120;

std::uint64_t calls_of(const TopologyCall& c) { return c.calls.count + c.calls.incomplete; }
std::string call_errors(const TopologyCall& c) { return errors_text(c.calls.errors(), calls_of(c)); }

// There is a value, not only a bound.
bool supported(const model::Quantile& q) {
  return q.support != model::Support::refused && q.support != model::Support::lower_only &&
         q.support != model::Support::at_least;
}

// "120/s, 4 (0.1 %) errors, p50 3.1 ms, p99 9.2 ms": what the data supports.
std::string edge_label(const TopologyCall& c) {
  std::string out = route_rate_text(c.calls) + (c.protocol.empty() ? "" : " " + c.protocol);
  if (const std::string errors = call_errors(c); !errors.empty()) out += ", " + errors;
  for (const std::size_t q : {kP50, kP99})
    if (supported(c.calls.latency[q]))
      out += ", " + quantile_name(model::kQuantiles[q]) + " " + quantile_text(rising(c.calls.latency)[q]).value;
  return out;
}

// In a label in quotes: a name is somebody else's, and these languages have their own marks.
std::string mermaid_text(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '"' || c == '#' || c == '<' || c == '>' || c == '&' || c == '`' || c == ';' || c == '|' || c == '\\')
      out += "#" + std::to_string(static_cast<int>(c)) + ";";
    else
      out += c;
  }
  return out;
}
std::string dot_text(const std::string& text) {
  std::string out;
  for (const char c : printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

std::string text_topology(const Topology& t, std::string_view title) {
  if (t.calls.empty()) return "No requests.\n";
  using Kind = render::Column::Kind;
  render::Document out;
  out.heading(3, std::string(title));
  render::Table table;
  table.columns = {{"caller", Kind::name},
                   {"called", Kind::name},
                   {"by", Kind::word},
                   {"requests"},
                   {"rate"},
                   {"errors"},
                   {"p50"},
                   {"p99"}};
  for (const TopologyCall& c : t.calls) {
    const auto quantile = [&](std::size_t q) {
      const QuantileText text = quantile_text(rising(c.calls.latency)[q]);
      render::Cell cell(text.value);
      cell.note = text.note;
      return cell;
    };
    render::Cell called(printable(t.nodes[c.to].shown()));
    if (c.failing()) called.tag = "FAILING";
    std::vector<std::string> kinds = error_parts(c.calls.errors(), calls_of(c));
    render::Cell errors(kinds.empty() ? "0" : kinds.front());
    if (!kinds.empty()) errors.below.assign(kinds.begin() + 1, kinds.end());
    table.rows.push_back(
        {{printable(t.nodes[c.from].shown()), std::move(called), c.protocol.empty() ? "–" : c.protocol,
          count_text(calls_of(c)), route_rate_text(c.calls), std::move(errors), quantile(kP50), quantile(kP99)},
         {},
         false});
  }
  out.add(std::move(table));
  out.note(
      "Services are processes by name, and by port where one name serves several. Times are those of the caller; for "
      "callers outside the recording, those of the service.");
  return render::to_text(out, kTopologyWidth);
}

std::string mermaid_topology(const Topology& t) {
  std::string out = "flowchart LR\n";
  for (std::size_t i = 0; i < t.nodes.size(); ++i) {
    const bool service = t.nodes[i].kind == NodeKind::service;
    out += "  n" + std::to_string(i) + (service ? "[\"" : "([\"") + mermaid_text(t.nodes[i].shown()) +
           (service ? "\"]\n" : "\"])\n");
  }
  std::string failing;
  for (std::size_t i = 0; i < t.calls.size(); ++i)
    if (t.calls[i].failing()) failing += (failing.empty() ? "" : ",") + std::to_string(i);
  for (const TopologyCall& c : t.calls)
    out += "  n" + std::to_string(c.from) + " -->|\"" + mermaid_text(edge_label(c)) + "\"| n" + std::to_string(c.to) +
           "\n";
  if (!failing.empty()) out += "  linkStyle " + failing + " stroke:#a40e26,stroke-width:3px,color:#a40e26\n";
  return out;
}

std::string dot_topology(const Topology& t) {
  std::string out = "digraph tailcap {\n  rankdir=LR;\n  node [shape=box];\n";
  for (std::size_t i = 0; i < t.nodes.size(); ++i)
    out += "  n" + std::to_string(i) + " [label=\"" + dot_text(t.nodes[i].shown()) + "\"" +
           (t.nodes[i].kind == NodeKind::service ? "" : ", style=dashed") + "];\n";
  for (const TopologyCall& c : t.calls)
    out += "  n" + std::to_string(c.from) + " -> n" + std::to_string(c.to) + " [label=\"" + dot_text(edge_label(c)) +
           "\"" + (c.failing() ? ", color=\"#a40e26\", fontcolor=\"#a40e26\", penwidth=3" : "") + "];\n";
  return out + "}\n";
}

namespace {

struct WindowClock {
  const model::WallClock& clock;
};

auto quantile_of(std::size_t place) {
  return [place](const TopologyCall& c) {
    const model::Quantile& q = c.calls.latency[place];
    return when(supported(q), q.value.count());
  };
}

const Shape<TopologyNode, Anywhere> kNode{
    "node",
    {
        {"name", &TopologyNode::name},
        {"kind", one_of<NodeKind::address>(&TopologyNode::kind),
         "callers: from where nothing was recorded; address: called, not recorded"},
        {"processes", &TopologyNode::processes},
        {"service", or_null(&TopologyNode::service), "of Kubernetes, by --services; null: none has this address"},
    }};

const Shape<TopologyCall, Anywhere> kCall{
    "call",
    {
        {"from", &TopologyCall::from, "a place in `nodes`, as the next"},
        {"to", &TopologyCall::to},
        {"protocol", or_null(&TopologyCall::protocol), "http/1.1, grpc in TLS; several with commas between"},
        {"requests", calls_of},
        {"errors", [](auto& c) { return c.calls.errors().all(); }},
        {"failing", &TopologyCall::failing, "at least one in a hundred failed at the server or broke off"},
        {"per_second", [](auto& c) { return c.calls.per_second; }},
        {"p50_ns", quantile_of(kP50), "as the caller saw them; null: the data does not support it"},
        {"p99_ns", quantile_of(kP99)},
    }};

const Shape<Topology, Anywhere> kParts{"parts",
                                       {
                                           {"nodes", kNode, &Topology::nodes},
                                           {"calls", kCall, &Topology::calls, "the most first"},
                                       }};

const Shape<Topology, WindowClock> kWindow{
    "window",
    {
        {"from_ns", &Topology::begin, "null: the clock, or the start of its requests, is not known"},
        {"to_ns", &Topology::end},
        {kParts, Refer{[](auto& t) { return &t; }}},
    }};

const Shape<Topology, Anywhere>& topology_shape() {
  static const Shape<Topology, Anywhere> shape{
      "topology",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {kParts, Refer{[](auto& t) { return &t; }}},
      }};
  return shape;
}

const Shape<std::vector<Topology>, WindowClock>& windows_shape() {
  static const Shape<std::vector<Topology>, WindowClock> shape{
      "windows",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"windows", kWindow, Refer{[](auto& all) { return &all; }}},
      }};
  return shape;
}

}  // namespace

std::string json_topology(const Topology& t) { return json_of(topology_shape(), t, Anywhere{}); }
std::string json_topologies(const std::vector<Topology>& windows, const model::WallClock& clock) {
  return json_of(windows_shape(), windows, WindowClock{clock});
}
std::string topology_schema() {
  const Description* const all[] = {&topology_shape(), &windows_shape()};
  return json_schema_of_any(all, "tailcap topology --json", "Without --window, and with it.");
}

}  // namespace tailcap::report
