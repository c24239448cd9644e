// Facts about every connection end: numbered from 1, kept while it is live and for a while after.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "analyze/flow/connection.h"

namespace tailcap::streams {

// Facts of closed connections that stay readable. The oldest go first, so that a service that opens a connection for
// every request does not cost memory without bound.
inline constexpr std::size_t kMaxClosedFacts = 1u << 16;

class ConnectionFacts {
 public:
  flow::Connection& add(flow::SocketId socket, flow::Time at) {
    facts_.push_back(std::make_unique<flow::Connection>());
    flow::Connection& c = *facts_.back();
    c.id = static_cast<flow::ConnectionId>(facts_.size());
    c.socket = socket;
    c.first_seen = at;
    return c;
  }
  const flow::Connection* find(flow::ConnectionId id) const {
    return id == 0 || id > facts_.size() ? nullptr : facts_[id - 1].get();
  }
  void close(flow::ConnectionId id) {
    closed_.push_back(id);
    if (closed_.size() <= kMaxClosedFacts) return;
    facts_[closed_.front() - 1].reset();
    closed_.pop_front();
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(facts_.size()); }

 private:
  std::vector<std::unique_ptr<flow::Connection>> facts_;
  std::deque<flow::ConnectionId> closed_;
};

// Fills in unknown facts from a description.
void describe(flow::Connection& connection, const formats::SocketInfo& info);

}  // namespace tailcap::streams
