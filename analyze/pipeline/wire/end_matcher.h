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
#include "analyze/model/rows.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"

namespace tailcap::pipeline {

class EndMatcher {
 public:
  // See causes::Peers.
  void expect(const model::Exchange& exchange, const model::Connection& connection) const {
    peers_.expect(causes::mark_of(exchange), connection);
  }
  // The other end of the exchange, if it was announced before.
  std::optional<model::ExchangeId> push(const model::Exchange& exchange, const model::Connection& connection);
  // The connection may be bound now: matches the exchanges of its TLS session that were waiting for that.
  void bound(const model::Connection& connection);
  // After the last exchange: sets the peer of each row whose other end was announced after it, or proved to be its own
  // only later.
  void settle(model::Rows& rows);
  const model::Findings& findings() const { return peers_.findings(); }

 private:
  static constexpr std::size_t kMaxUnbound = 64;  // exchanges of one session; two calls are enough to bind it

  std::optional<model::ExchangeId> match(const causes::Mark& mark, const model::Connection& connection);

  causes::Peers peers_;
  std::vector<std::pair<model::ExchangeId, model::ExchangeId>> pairs_;  // the end seen first, the end seen second
  std::unordered_map<model::ConnectionId, std::vector<causes::Mark>> unbound_;
};

}  // namespace tailcap::pipeline
