#include "analyze/report/request/call_tree.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "analyze/render/document.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

using formats::known;
using model::ExchangeId;
using model::Request;
using model::Role;

constexpr std::size_t kTreeWidth = 120;

// Calls of the tree's processes, while its requests were under way, of unknown cause.
void count_undecided(const model::RequestTable& table, CallTree& tree) {
  std::multimap<std::uint32_t, TreeNode*> by_process;
  for (TreeNode& node : tree.nodes)
    if (node.row.role == Role::server && node.row.pid != 0) by_process.emplace(node.row.pid, &node);
  if (by_process.empty()) return;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (table.rows.role(i) != Role::client) continue;
    const model::Cause* cause = table.causes.find(table.rows.id(i));
    if (cause && cause->parent.connection != 0) continue;
    const Request row = table.rows[i];
    if (!known(row.start)) continue;
    for (auto [at, end] = by_process.equal_range(row.pid); at != end; ++at) {
      const Request& server = at->second->row;
      if (known(server.start) && row.start >= server.start &&
          (!server.has_duration || row.start <= server.start + server.duration))
        ++at->second->undecided;
    }
  }
}

std::string caller_text(const model::RequestTable& table, const Request& row) {
  if (row.comm != 0) return printable(table.texts[row.comm]);
  return row.pid != 0 ? "process " + pid_text(row.pid) : "a process of unknown name";
}

std::string cause_text(const model::Cause& cause) {
  std::string out = cause.certain ? "certain" : "likely";
  switch (cause.method) {
    case model::CauseMethod::trace_id:
      out += ": same trace id";
      break;
    case model::CauseMethod::thread:
      out += ": same thread";
      break;
    case model::CauseMethod::turn:
      out += ": same event-loop iteration";
      break;
    case model::CauseMethod::goroutine:
      out += ": its goroutine, or one made for it";
      break;
    case model::CauseMethod::channel:
      out += ": a goroutine that took it over through a channel";
      break;
    case model::CauseMethod::content:
      out += ": it says what only this request says";
      break;
    case model::CauseMethod::message:
      out += ": it published the message";
      break;
    case model::CauseMethod::none:
      break;
  }
  if (cause.alternatives > 0) out += "; " + count_text(cause.alternatives, "other", "others") + " possible";
  return out;
}

std::string notes_of(const TreeNode& node, const model::RequestTable& table) {
  std::string out;
  const auto note = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  const Request& row = node.row;
  if (const auto handler = table.handlers.find(row.id); handler != 0) note(printable(table.texts[handler]));
  if (node.cause) note(cause_text(*node.cause));
  if (row.attempt != 0) {
    std::string text = "attempt " + std::to_string(row.attempt);
    if (row.attempt_of.connection != 0) text += " of " + id_text(row.attempt_of);
    note(text);
  }
  if (row.role == Role::client && row.peer.connection == 0) note("its other end was not found in this capture");
  if (node.undecided > 0)
    note(count_text(node.undecided, "call", "calls") + " of the process meanwhile of unknown cause");
  return out;
}

bool uncertain(const TreeNode& node) { return (node.cause && !node.cause->certain) || node.undecided > 0; }

}  // namespace

CallTrees::CallTrees(const model::RequestTable& table) : table_(table) {
  const auto& rows = table.rows;
  places_.reserve(rows.size());
  for (std::uint32_t i = 0; i < rows.size(); ++i) places_.emplace_back(rows.id(i), i);
  std::sort(places_.begin(), places_.end());
  for (const auto& [call, cause] : table.causes)
    if (cause.parent.connection != 0)
      if (const auto at = place(call)) calls_.emplace_back(cause.parent, *at);
  std::sort(calls_.begin(), calls_.end());  // rows are in order of start
}

std::optional<std::uint32_t> CallTrees::place(ExchangeId id) const {
  const auto at = std::lower_bound(places_.begin(), places_.end(), std::pair{id, 0u});
  return at != places_.end() && at->first == id ? std::optional(at->second) : std::nullopt;
}

std::vector<std::uint32_t> CallTrees::caused(const Request& row) const {
  std::vector<std::uint32_t> out;
  if (row.role == Role::client) {
    if (const auto peer = place(row.peer)) out.push_back(*peer);
    return out;
  }
  for (auto it = std::lower_bound(calls_.begin(), calls_.end(), std::pair{row.id, 0u});
       it != calls_.end() && it->first == row.id; ++it)
    out.push_back(it->second);
  return out;
}

std::optional<std::uint32_t> CallTrees::above(const Request& row) const {
  const model::Cause* cause = table_.causes.find(row.id);
  return place(row.role == Role::server ? row.peer : cause ? cause->parent : ExchangeId{});
}

std::vector<ExchangeId> CallTrees::roots() const {
  std::vector<ExchangeId> out;
  for (std::size_t i = 0; i < table_.rows.size(); ++i)
    if (const Request row = table_.rows[i]; !above(row)) out.push_back(row.id);
  return out;
}

std::optional<CallTree> CallTrees::tree(ExchangeId root) const {
  const auto at = place(root);
  if (!at) return std::nullopt;
  CallTree tree;
  std::set<ExchangeId> met = {root};
  Request row = table_.rows[*at];
  for (auto up = above(row); up && tree.above.size() < kMaxTreeDepth; up = above(row)) {
    row = table_.rows[*up];
    if (!met.insert(row.id).second) break;
    tree.above.push_back(row.id);
  }
  std::set<ExchangeId> seen;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> todo = {{*at, 0}};  // place, depth
  while (!todo.empty()) {
    const auto [next, depth] = todo.back();
    todo.pop_back();
    const Request node = table_.rows[next];
    if (!seen.insert(node.id).second) continue;
    if (tree.nodes.size() == kMaxTreeNodes || depth > kMaxTreeDepth) {
      ++tree.left_out;
      continue;
    }
    tree.nodes.push_back({node, depth, depth == 0 ? nullptr : table_.causes.find(node.id), 0});
    const std::vector<std::uint32_t> below = caused(node);
    for (auto it = below.rbegin(); it != below.rend(); ++it) todo.emplace_back(*it, depth + 1);
  }
  return tree;
}

std::optional<CallTree> call_tree(const model::RequestTable& table, ExchangeId root) {
  auto tree = CallTrees(table).tree(root);
  if (tree) count_undecided(table, *tree);
  return tree;
}

std::string act_text(const model::RequestTable& table, const Request& row) {
  return caller_text(table, row) + (row.role == Role::client ? " calls " : " serves ") +
         request_title(row, table.texts) + ": " + outcome_text(row, table.texts[row.store.error_code]);
}

std::string text_tree(const CallTree& tree, const model::RequestTable& table, const std::string& file) {
  const Request& root = tree.nodes.front().row;
  const Duration scale = root.has_duration ? root.duration : Duration{1'000'000};
  render::Document out;
  out.heading(1, "Request " + id_text(root.id) + " and what it caused");
  if (!tree.above.empty())
    out.note("It was itself caused by " + id_text(tree.above.front()) + "; all of it: tailcap tree " + printable(file) +
             " " + id_text(tree.above.back()));
  // Which ancestors have more below them, for the lines on the left.
  const auto& nodes = tree.nodes;
  render::Table lines;
  using Kind = render::Column::Kind;
  lines.columns = {{"start"}, {"duration"}, {"request", Kind::word}, {"", Kind::word}};
  std::vector<bool> more(kMaxTreeDepth + 2);
  std::vector<bool> last(nodes.size());
  std::vector<bool> open(kMaxTreeDepth + 2);
  for (std::size_t i = nodes.size(); i-- > 0;) {
    const std::uint32_t depth = nodes[i].depth;
    last[i] = !open[depth];
    open[depth] = true;
    std::fill(open.begin() + depth + 1, open.end(), false);
  }
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const TreeNode& node = nodes[i];
    const Request& row = node.row;
    std::string branch;
    for (std::uint32_t d = 1; d < node.depth; ++d) branch += more[d] ? "│ " : "  ";
    if (node.depth > 0) branch += last[i] ? "└ " : "├ ";
    more[node.depth] = !last[i];
    const std::string what = branch + id_text(row.id) + "  " + act_text(table, row);
    const bool placed = known(row.start) && known(root.start);
    lines.rows.push_back({{placed ? place_text(row.start - root.start, scale) : "–",
                           row.has_duration ? duration_text(row.duration) : "–", what, notes_of(node, table)}});
  }
  out.add(std::move(lines));
  if (tree.left_out > 0) out.note(count_text(tree.left_out, "request was", "requests were") + " left out.");
  if (std::ranges::any_of(nodes, uncertain))
    out.note(
        "Without trace ids, which request made a call is decided by its thread. That is certain where the thread did "
        "nothing else meanwhile; in an event loop it is likely at best. A call that could be of several requests is in "
        "no tree.");
  return render::to_text(out, kTreeWidth);
}

namespace {

struct TreeContext {
  const CallTree& tree;
  const model::RequestTable& table;
  std::string_view text(model::TextId id) const { return table.texts[id]; }
};
using NodeShape = Shape<TreeNode, TreeContext>;

auto request_text(model::TextId Request::*member) {
  return [member](const TreeNode& node, const TreeContext& c) { return OrNull{c.text(node.row.*member)}; };
}

// What it caused directly.
std::vector<std::reference_wrapper<const TreeNode>> children(const TreeNode& node, const TreeContext& c) {
  std::vector<std::reference_wrapper<const TreeNode>> out;
  const auto& all = c.tree.nodes;
  for (auto i = static_cast<std::size_t>(&node - all.data()) + 1; i < all.size() && all[i].depth > node.depth; ++i)
    if (all[i].depth == node.depth + 1) out.emplace_back(all[i]);
  return out;
}

std::optional<std::int64_t> start_of(const TreeNode& node, const TreeContext& c) {
  const formats::Time from = c.tree.nodes.front().row.start, at = node.row.start;
  return when(known(at) && known(from), (at - from).count());
}

const NodeShape& node_shape() {
  static const NodeShape shape{
      "tree_request",
      {
          {"id", [](auto& n) { return n.row.id; }},
          {"role", [](auto& n) { return model::name_of(n.row.role); }, "", {.values = {"server", "client"}}},
          {"comm", request_text(&Request::comm)},
          {"handler", [](auto& n, auto& c) { return OrNull{c.text(c.table.handlers.find(n.row.id))}; }},
          {"pid", [](auto& n) { return when(n.row.pid != 0, formats::number_of(n.row.pid)); }},
          {"machine", [](auto& n) { return when(n.row.pid != 0, formats::machine_of(n.row.pid) + 1); }},
          {"method", request_text(&Request::method)},
          {"path", request_text(&Request::path)},
          {"status", [](auto& n) { return OrNull{n.row.status}; }},
          {"outcome", [](auto& n) { return model::name_of(n.row.outcome); }},
          {"start_ns", start_of, "from the start of the first"},
          {"duration_ns", [](auto& n) { return when(n.row.has_duration, n.row.duration); }},
          {"attempt", [](auto& n) { return OrNull{n.row.attempt}; }},
          {"attempt_of", [](auto& n) { return OrNull{n.row.attempt_of}; }},
          {"peer", [](auto& n) { return OrNull{n.row.peer}; }},
          {"parent_how", [](auto& n) { return OrNull{n.cause ? model::name_of(n.cause->method) : ""}; }},
          {"parent_confidence",
           [](auto& n) { return when(n.cause != nullptr, n.cause && n.cause->certain ? "certain" : "likely"); },
           "",
           {.values = {"certain", "likely"}}},
          {"parent_alternatives",
           [](auto& n) { return when(n.cause != nullptr, n.cause ? n.cause->alternatives : 0); }},
          {"undecided_calls", &TreeNode::undecided,
           "of a served request: calls that its process made while it was under way, and whose cause is not known"},
          {"children", node_shape, children,
           "of a call the request that its server saw, of a served request its calls"},
      }};
  return shape;
}

const Refer kRoot{[](auto& t) { return &t.nodes.front(); }};

const Shape<CallTree, TreeContext>& tree_shape() {
  static const Shape<CallTree, TreeContext> shape{
      "tree",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"caused_by", &CallTree::above, "what caused the request, the topmost last"},
          {"left_out", &CallTree::left_out, "requests beyond 10,000, or deeper than 64"},
          {"tree", node_shape(), kRoot},
      }};
  return shape;
}

const Shape<LongTrace, Anywhere> kLongTrace{"trace",
                                            {
                                                {"id", &LongTrace::root, "the topmost request"},
                                                {"length_ns", &LongTrace::length},
                                                {"levels", &LongTrace::levels},
                                            }};

const Shape<LongTraces, Anywhere>& traces_shape() {
  static const Shape<LongTraces, Anywhere> shape{
      "traces",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"traces_found", &LongTraces::count},
          {"traces", kLongTrace, &LongTraces::longest, "the longest first"},
      }};
  return shape;
}

}  // namespace

std::string json_tree(const CallTree& tree, const model::RequestTable& table) {
  return json_of(tree_shape(), tree, TreeContext{tree, table});
}
std::string json_traces(const LongTraces& traces) { return json_of(traces_shape(), traces, Anywhere{}); }
std::string tree_schema() {
  const Description* const all[] = {&tree_shape(), &traces_shape()};
  return json_schema_of_any(all, "tailcap tree --json", "With an ID, and without. Names are those of requests --json.");
}

}  // namespace tailcap::report
