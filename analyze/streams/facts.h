// Facts about every connection end: numbered from 1, kept while it is live and for a while after.
#pragma once

#include <deque>
#include <memory>
#include <vector>

#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/lookup.h"
#include "formats/socket_event.h"

namespace tailcap::streams {

// Facts of closed connections that stay readable. The oldest go first, so that a service that opens a connection for
// every request does not cost memory without bound.
inline constexpr std::size_t kMaxClosedFacts = 1u << 16;

class ConnectionFacts {
 public:
  model::Connection& add(model::SocketId socket, model::Time at) {
    facts_.push_back(std::make_unique<model::Connection>());
    model::Connection& c = *facts_.back();
    c.id = static_cast<model::ConnectionId>(facts_.size());
    c.socket = socket;
    c.first_seen = at;
    return c;
  }
  // With a name server; it is closed.
  const model::Connection* add(const model::FailedName& name);
  const model::Connection* find(model::ConnectionId id) const {
    return id == 0 || id > facts_.size() ? nullptr : facts_[id - 1].get();
  }
  void close(model::ConnectionId id) {
    closed_.push_back(id);
    if (closed_.size() <= kMaxClosedFacts) return;
    facts_[closed_.front() - 1].reset();
    closed_.pop_front();
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(facts_.size()); }

 private:
  std::vector<std::unique_ptr<model::Connection>> facts_;
  std::deque<model::ConnectionId> closed_;
};

// Fills in unknown facts from a description.
void describe(model::Connection& connection, const formats::SocketInfo& info);

}  // namespace tailcap::streams
