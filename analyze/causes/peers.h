// Joins the two ends of one exchange that was recorded at both ends of its connection.
//
// TCP: the request's first byte has the same sequence number at both ends of the same address pair (on loopback: of the
// same network namespace, too). Where addresses are rewritten on the way (NAT, addresses of services), both ends of a
// connection that the recording saw begin have the same initial sequence numbers. UNIX sockets: the request's first
// byte has the same place in the stream at both ends, by the client's inode, if most requests of the connection overlap
// in time. In TLS the first byte's place in the plaintext is the same, where both ends saw it from the start.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"

namespace tailcap::causes {

// The identifying facts of an exchange.
struct Mark {
  model::ExchangeId id;
  model::Role role = model::Role::server;
  // The first byte of the request and of the response, read or sent; without its request an exchange has none to be
  // known by.
  formats::Time asked = formats::kNoTime, answered = formats::kNoTime;
  std::uint64_t request_begin = 0;
  bool pushed = false;
};
Mark mark_of(const model::Exchange& exchange);

class Peers {
 public:
  Peers();
  ~Peers();
  // Makes push() of the same exchange faster, if some work is done in between. Changes nothing else.
  void expect(const Mark& mark, const model::Connection& connection) const;
  // The other end's id where it was already pushed; otherwise remembers this one until its other end comes.
  std::optional<model::ExchangeId> push(const Mark& mark, const model::Connection& connection);
  std::optional<model::ExchangeId> push(const model::Exchange& exchange, const model::Connection& connection) {
    return push(mark_of(exchange), connection);
  }
  // After the last one: ends that belong together although push() did not say so, each pair once.
  using Pair = std::pair<model::ExchangeId, model::ExchangeId>;
  std::vector<Pair> late();
  const model::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::causes
