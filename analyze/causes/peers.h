// Joins the two ends of one exchange that was recorded at both ends of its connection.
//
// TCP: the request's first byte has the same sequence number at both ends of the same address pair and network
// namespace. UNIX sockets: by the inodes of the pair and the order of requests.
#pragma once

#include <memory>
#include <optional>

#include "analyze/flow/connection.h"
#include "analyze/flow/exchange.h"
#include "analyze/flow/findings.h"

namespace tailcap::causes {

class Peers {
 public:
  Peers();
  ~Peers();
  // The other end's id where it was already pushed; otherwise remembers this one until its other end comes.
  std::optional<flow::ExchangeId> push(const flow::Exchange& exchange, const flow::Connection& connection);
  const flow::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::causes
