// Finds the two ends of each exchange that was recorded at both ends of its connection.
//
// The end that is announced second finds the first. The exchanges of a TLS session that is not bound to its connection
// yet wait until it is bound; their partners learn of them in settle().
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/causes/peers.h"
#include "analyze/flow/connection.h"
#include "analyze/flow/exchange.h"
#include "analyze/flow/findings.h"
#include "analyze/flow/rows.h"

namespace tailcap::pipeline {

class EndMatcher {
 public:
  // The other end of the exchange, if it was announced before.
  std::optional<flow::ExchangeId> push(const flow::Exchange& exchange, const flow::Connection& connection);
  // The connection may be bound now: matches the exchanges of its TLS session that were waiting for that.
  void bound(const flow::Connection& connection);
  // After the last exchange: sets the peer of each row whose other end was announced after it.
  void settle(flow::Rows& rows);
  const flow::Findings& findings() const { return peers_.findings(); }

 private:
  static constexpr std::size_t kMaxUnbound = 64;  // exchanges of one session; two calls are enough to bind it

  std::optional<flow::ExchangeId> match(const causes::Mark& mark, const flow::Connection& connection);

  causes::Peers peers_;
  std::vector<std::pair<flow::ExchangeId, flow::ExchangeId>> pairs_;  // the end seen first, the end seen second
  std::unordered_map<flow::ConnectionId, std::vector<causes::Mark>> unbound_;
};

}  // namespace tailcap::pipeline
