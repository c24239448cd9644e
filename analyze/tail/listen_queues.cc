#include "analyze/tail/listen_queues.h"

#include <algorithm>
#include <numeric>
#include <variant>

#include "formats/event.h"

namespace tailcap::tail {
namespace {

std::string address_of(const formats::SocketInfo& info) {
  model::Connection c;
  c.family = info.family;
  c.local = info.local;
  return model::endpoint(c, false);
}

}  // namespace

void ListenQueues::push(const formats::Event& event) {
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    if (info->listener != 0) look(event, *info);
  } else if (const auto* accept = std::get_if<formats::Accept>(&event.body)) {
    const auto at = sockets_.find(accept->socket);
    if (at == sockets_.end()) return;
    model::ListenQueue& sums = listeners_[at->second].sums;
    if (sums.pid == 0) sums.pid = event.thread.pid;
  }
}

void ListenQueues::look(const formats::Event& event, const formats::SocketInfo& info) {
  const bool own = info.listener == info.socket;
  auto number = numbers_.find(info.listener);
  if (number == numbers_.end()) {
    if (listeners_.size() >= kMaxListeners) return;
    number = numbers_.emplace(info.listener, static_cast<std::uint32_t>(listeners_.size())).first;
    listeners_.emplace_back();
  }
  Listener& l = listeners_[number->second];
  model::ListenQueue& sums = l.sums;
  if (sums.address.empty() || (l.from_its_own && !own)) {
    sums.address = address_of(info);
    l.from_its_own = own;
  }
  if (own && sums.pid == 0) sums.pid = event.thread.pid;
  if (!own) {
    ++sums.established;
    if (sockets_.emplace(info.socket, number->second).second) order_.push_back(info.socket);
    if (order_.size() > kMaxSockets) {
      sockets_.erase(order_.front());
      order_.pop_front();
    }
  }
  sums.limit = info.queue_limit;
  sums.longest = std::max(sums.longest, info.queue);
  // Events of several CPUs come out of order: a count that falls is older than the one before.
  const auto more = static_cast<std::int32_t>(info.drops - l.drops);
  if (l.seen && more > 0) {
    sums.dropped += static_cast<std::uint32_t>(more);
    if (!formats::known(sums.from)) sums.from = l.at;
    sums.to = std::max(sums.to, event.time);
  }
  if (!l.seen || more >= 0) {
    l.drops = info.drops;
    l.at = event.time;
  }
  l.seen = true;
}

void ListenQueues::carries(const model::Connection& connection) {
  if (connection.origin != formats::Origin::accepted || connections_.size() >= kMaxConnections) return;
  if (const auto at = sockets_.find(connection.socket); at != sockets_.end())
    connections_.insert_or_assign(connection.id, at->second);
}

void ListenQueues::fill(model::Study& study) const {
  std::vector<std::uint32_t> order(listeners_.size());
  std::iota(order.begin(), order.end(), 0u);
  std::erase_if(order, [&](std::uint32_t i) { return listeners_[i].sums.dropped == 0 || !listeners_[i].sums.full(); });
  std::ranges::stable_sort(
      order, [&](std::uint32_t a, std::uint32_t b) { return listeners_[a].sums.dropped > listeners_[b].sums.dropped; });
  if (order.size() > kShown) order.resize(kShown);
  std::unordered_map<std::uint32_t, std::uint32_t> shown;
  for (const std::uint32_t i : order) {
    shown.emplace(i, static_cast<std::uint32_t>(study.queues.size()));
    model::ListenQueue& q = study.queues.emplace_back(listeners_[i].sums);
    for (const model::ProcessSummary& process : study.quality.processes) {
      if (process.pid != q.pid && (q.pid != 0 || process.served_at != q.address)) continue;
      q.pid = process.pid;
      q.comm = process.comm;
    }
  }
  for (const auto& [connection, listener] : connections_)
    if (const auto at = shown.find(listener); at != shown.end()) study.queue_of.emplace(connection, at->second);
}

}  // namespace tailcap::tail
