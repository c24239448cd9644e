#include "analyze/views/flame/traces.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "analyze/model/wire/trace_context.h"
#include "analyze/report/request/call_tree.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::views {
namespace {

using formats::Time;
using model::ExchangeId;
using model::Request;
using model::TraceSpan;
using report::CallTree;
using report::CallTrees;

constexpr std::size_t kTitle = 120;

std::string trace_id_of(const model::RequestTable& table, const Request& row) {
  return row.traceparent == 0 ? std::string() : std::string(model::trace_id_in(table.texts[row.traceparent]));
}

TraceSpan span_of(const model::RequestTable& table, const report::TreeNode& node, Time begin) {
  const Request& row = node.row;
  TraceSpan span;
  span.begin = row.start;
  span.duration = row.has_duration ? row.duration : formats::Duration{};
  span.depth = node.depth;
  const bool failed = row.outcome != model::Outcome::ok && row.outcome != model::Outcome::client_error &&
                      row.outcome != model::Outcome::unknown;
  span.kind = failed                            ? TraceSpan::Kind::failed
              : row.role == model::Role::client ? TraceSpan::Kind::made
                                                : TraceSpan::Kind::served;
  const std::string who = row.comm != 0  ? report::printable(table.texts[row.comm])
                          : row.pid != 0 ? "process " + report::pid_text(row.pid)
                                         : "a process not recorded";
  const std::string what = report::shortened(report::request_title(row, table.texts), kTitle);
  span.name = who + (row.role == model::Role::client ? " calls " : " serves ") + what;
  span.told = span.name + " (" + report::id_text(row.id) +
              "): " + report::outcome_text(row, table.texts[row.store.error_code]) + ", " +
              report::offset_text(row.start, begin) + ", " +
              (row.has_duration ? report::duration_text(row.duration) : "its end is not known");
  if (node.cause && !node.cause->certain) span.told += "; likely caused by what is above";
  return span;
}

model::TraceFlame flame_of_trees(const model::RequestTable& table, const std::vector<CallTree>& trees) {
  model::TraceFlame out;
  Time begin = formats::kNoTime, end = formats::kNoTime;
  std::uint64_t unplaced = 0;
  for (const CallTree& tree : trees)
    for (const auto& node : tree.nodes) {
      if (!formats::known(node.row.start)) continue;
      if (!formats::known(begin) || node.row.start < begin) begin = node.row.start;
      const Time over = node.row.has_duration ? node.row.start + node.row.duration : node.row.start;
      if (!formats::known(end) || over > end) end = over;
    }
  for (const CallTree& tree : trees) {
    unplaced += tree.left_out;
    for (const auto& node : tree.nodes) {
      if (!formats::known(node.row.start)) {
        ++unplaced;
        continue;
      }
      out.spans.push_back(span_of(table, node, begin));
      out.levels = std::max(out.levels, node.depth + 1);
    }
  }
  if (out.spans.empty()) return out;
  out.length = end - begin;
  const Request& first = trees.front().nodes.front().row;
  const std::string trace = trace_id_of(table, first);
  out.title = report::shortened(report::request_title(first, table.texts), kTitle) + " (" + report::id_text(first.id) +
              ")" + (trace.empty() ? "" : ", trace " + report::printable(trace));
  out.subtitle = report::duration_text(out.length) + ", " +
                 report::count_text(out.spans.size(), "request", "requests") + ", " +
                 report::count_text(out.levels, "level", "levels");
  if (unplaced > 0) out.subtitle += "; " + report::count_text(unplaced) + " not drawn";
  return out;
}

ExchangeId top_of(const CallTree& tree) { return tree.above.empty() ? tree.nodes.front().row.id : tree.above.back(); }

}  // namespace

model::TraceFlame trace_of(const model::RequestTable& table, ExchangeId request) {
  const CallTrees trees(table);
  const auto own = trees.tree(request);
  if (!own) return {};
  std::vector<CallTree> all = {*trees.tree(top_of(*own))};
  std::set<ExchangeId> met;
  std::string trace;
  const auto take = [&](const CallTree& tree) {
    for (const auto& node : tree.nodes) {
      met.insert(node.row.id);
      if (trace.empty()) trace = trace_id_of(table, node.row);
    }
  };
  take(all.front());
  if (!trace.empty())
    for (std::size_t i = 0; i < table.rows.size() && met.size() < report::kMaxTreeNodes; ++i) {
      const Request row = table.rows[i];
      if (met.count(row.id) != 0 || trace_id_of(table, row) != trace) continue;
      const auto tree = trees.tree(row.id);
      auto whole = trees.tree(top_of(*tree));
      take(*whole);
      met.insert(row.id);
      all.push_back(std::move(*whole));
    }
  return flame_of_trees(table, all);
}

FoundTraces traces_of(const model::RequestTable& table, const TraceLimits& limits,
                      const std::function<bool(ExchangeId)>& wanted) {
  const CallTrees trees(table);
  FoundTraces out;
  auto& found = out.longest;
  for (const ExchangeId root : trees.roots()) {
    if (!wanted(root)) continue;
    const auto tree = trees.tree(root);
    if (!tree || tree->nodes.size() < limits.min_depth) continue;  // as many levels need as many requests
    const model::TraceFlame trace = flame_of_trees(table, {*tree});
    if (trace.length.count() >= limits.min_duration && trace.levels >= limits.min_depth)
      found.push_back({trace.length, root, trace.levels, {}});
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const FoundTrace& a, const FoundTrace& b) { return a.length > b.length; });
  out.count = found.size();
  found.resize(std::min(found.size(), limits.most));
  for (FoundTrace& trace : found) trace.picture = flame_of_trees(table, {*trees.tree(trace.root)});
  return out;
}

}  // namespace tailcap::views
