#include "analyze/pipeline/wire/end_matcher.h"

#include <algorithm>
#include <cstdint>

#include "ground/memory.h"
#include "ground/sort_by_number.h"

namespace tailcap::pipeline {

using model::ExchangeId;

std::optional<ExchangeId> EndMatcher::push(const model::Exchange& exchange, const model::Connection& connection) {
  if (connection.tls && connection.how == model::BindingHow::none) {
    auto& unbound = unbound_[connection.id];
    if (unbound.size() < kMaxUnbound) unbound.push_back(causes::mark_of(exchange));
    return std::nullopt;
  }
  if (!unbound_.empty()) bound(connection);
  return match(causes::mark_of(exchange), connection);
}

std::optional<ExchangeId> EndMatcher::match(const causes::Mark& mark, const model::Connection& connection) {
  const auto peer = peers_.push(mark, connection);
  if (peer) pairs_.emplace_back(*peer, mark.id);
  return peer;
}

void EndMatcher::bound(const model::Connection& connection) {
  const auto unbound = unbound_.find(connection.id);
  if (unbound == unbound_.end()) return;
  if (connection.how != model::BindingHow::none) {
    for (const causes::Mark& mark : unbound->second)
      if (const auto peer = match(mark, connection)) pairs_.emplace_back(mark.id, *peer);
  }
  unbound_.erase(unbound);
}

void EndMatcher::settle(model::Rows& rows) {
  for (const auto& [one, other] : peers_.late()) {
    pairs_.emplace_back(one, other);
    pairs_.emplace_back(other, one);
  }
  ground::sort_by_number(pairs_, [](const auto& p) { return std::uint64_t{p.first.connection} << 32 | p.first.index; });
  // Rows of a connection mostly come in the order of their ids: the next pair is the one after that of the row before.
  std::vector<std::size_t> next;  // by connection
  for (std::size_t i = 0; i < pairs_.size(); ++i)
    while (next.size() <= pairs_[i].first.connection) next.push_back(i);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ExchangeId id = rows.id(i);
    if (id.connection >= next.size() || rows.peer(i).connection != 0) continue;
    std::size_t& at = next[id.connection];
    if (at == pairs_.size() || pairs_[at].first != id)
      at = static_cast<std::size_t>(
          std::lower_bound(pairs_.begin(), pairs_.end(), id, [](const auto& p, ExchangeId x) { return p.first < x; }) -
          pairs_.begin());
    if (at == pairs_.size() || pairs_[at].first != id) continue;
    ExchangeId peer = pairs_[at].second;
    while (++at != pairs_.size() && pairs_[at].first == id) peer = std::min(peer, pairs_[at].second);
    rows.set_peer(i, peer);
  }
  ground::release(pairs_);
}

}  // namespace tailcap::pipeline
