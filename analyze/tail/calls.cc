#include "analyze/tail/calls.h"

#include <algorithm>
#include <map>
#include <utility>

namespace tailcap::tail {

using model::CallStudy;
using model::GrpcContext;
using model::GrpcDeadline;
using model::Request;

namespace {

constexpr int kUnimplemented = 12;

template <typename Key>
std::vector<std::pair<Key, std::uint64_t>> listed(const std::map<Key, std::uint64_t>& counts) {
  return {counts.begin(), counts.end()};
}

void add_deadline(const Request& row, std::uint32_t i, CallStudy& out) {
  const GrpcDeadline deadline = model::deadline_of(row);
  out.with_deadline += deadline != GrpcDeadline::none;
  out.met += deadline == GrpcDeadline::met;
  out.abandoned += deadline == GrpcDeadline::abandoned;
  out.deadline_unknown += deadline == GrpcDeadline::unknown;
  if (deadline != GrpcDeadline::missed) return;
  ++out.missed;
  if (out.misses.size() < CallStudy::kMaxListed) out.misses.push_back({i, std::nullopt});
}

// Without unpacking the row.
bool maybe_call(const model::RequestTable& table, std::size_t i) {
  const model::Protocol protocol = table.rows.protocol(i);
  return protocol == model::Protocol::grpc || protocol == model::Protocol::grpc_web;
}

void add_messages(std::int64_t n, bool exact, std::uint64_t& sum, std::uint64_t& most, CallStudy& out) {
  if (n < 0 || !exact) out.messages_exact = false;
  if (n < 0) return;
  sum += static_cast<std::uint64_t>(n);
  most = std::max(most, static_cast<std::uint64_t>(n));
}

}  // namespace

void note_reset(const model::Exchange& e, Request& row) {
  const bool broken = row.outcome == model::Outcome::cancelled || row.outcome == model::Outcome::reset;
  if (!broken || !e.reset || !formats::known(e.reset->at) || !formats::known(row.start)) return;
  row.reset_after = std::max<std::int64_t>(0, (e.reset->at - row.start).count());
}

void note_contexts(const model::RequestTable& table, model::Findings& findings) {
  struct Seen {
    bool some = false;
    std::uint64_t none = 0;
  };
  std::map<std::pair<model::TextId, model::Role>, Seen> methods;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    if (!maybe_call(table, i)) continue;
    const Request row = table.rows[i];
    if (!model::is_call(row) || row.path == 0) continue;
    Seen& seen = methods[{row.path, row.role}];
    if (row.grpc.context == GrpcContext::absent)
      ++seen.none;
    else if (row.grpc.context != GrpcContext::unknown)
      seen.some = true;
    if (row.grpc.context == GrpcContext::late) findings.add(model::Finding::trace_context_late);
  }
  for (const auto& [method, seen] : methods)
    if (seen.some && seen.none > 0) findings.add(model::Finding::trace_context_missing, seen.none);
}

std::optional<CallStudy> study_calls(const model::RequestTable& table, std::span<const std::uint32_t> rows) {
  CallStudy out;
  std::map<int, std::uint64_t> statuses;
  std::map<model::GrpcCause, std::uint64_t> causes;
  bool some = false;
  std::map<model::TextId, bool> carries;  // a route can have several methods
  for (const std::uint32_t i : rows) {
    if (!maybe_call(table, i)) continue;
    const Request row = table.rows[i];
    if (!model::is_call(row)) continue;
    some = true;
    if (row.grpc_status >= 0)
      ++statuses[row.grpc_status];
    else if (row.outcome == model::Outcome::cancelled)
      ++out.cancelled;
    else
      ++out.without_status;
    if (row.grpc_status == kUnimplemented) ++causes[model::unimplemented_cause(table.texts[row.grpc.message])];
    add_messages(row.grpc.request_messages, row.grpc.exact, out.request_messages, out.most_request_messages, out);
    add_messages(row.grpc.response_messages, row.grpc.exact, out.response_messages, out.most_response_messages, out);
    add_deadline(row, i, out);
    if (row.grpc.context == GrpcContext::head) ++out.context_head;
    if (row.grpc.context == GrpcContext::head || row.grpc.context == GrpcContext::late) carries[row.path] = true;
  }
  if (!some) return std::nullopt;
  for (const std::uint32_t i : carries.empty() ? std::span<const std::uint32_t>() : rows) {
    const Request row = table.rows[i];
    const bool late = row.grpc.context == GrpcContext::late;
    const bool missing = row.grpc.context == GrpcContext::absent && carries.contains(row.path);
    if (!model::is_call(row) || (!late && !missing)) continue;
    ++(late ? out.context_late : out.context_missing);
    if (out.context_faults.size() < CallStudy::kMaxListed) out.context_faults.push_back({row.id, row.stream, late});
  }
  out.statuses = listed(statuses);
  out.causes = listed(causes);
  return out;
}

void join_misses(const model::RequestTable& table, model::Study& study) {
  std::map<model::ExchangeId, std::optional<std::uint32_t>> peers;
  const auto each = [&](auto&& act) {
    for (auto& route : study.routes)
      if (route.calls)
        for (auto& miss : route.calls->misses)
          if (const model::ExchangeId peer = table.rows.peer(miss.row); peer.connection != 0) act(miss, peer);
  };
  each([&](model::DeadlineMiss&, model::ExchangeId peer) { peers[peer]; });
  if (peers.empty()) return;
  for (std::uint32_t i = 0; i < table.rows.size(); ++i)
    if (const auto at = peers.find(table.rows.id(i)); at != peers.end()) at->second = i;
  each([&](model::DeadlineMiss& miss, model::ExchangeId peer) { miss.peer = peers[peer]; });
}

}  // namespace tailcap::tail
