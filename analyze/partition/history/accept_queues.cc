#include "analyze/partition/history/accept_queues.h"

#include <algorithm>

namespace tailcap::partition {

void AcceptQueues::push(const formats::SocketInfo& info, Nanos at) {
  if (info.listener == 0) return;
  const bool own = info.listener == info.socket;
  auto found = listeners_.find(info.listener);
  if (found == listeners_.end()) {
    if (listeners_.size() >= kMaxListeners) return;
    found = listeners_.emplace(info.listener, Listener()).first;
  }
  if (!own && places_.emplace(info.socket, Place{info.listener, found->second.established}).second) {
    ++found->second.established;
    order_.push_back(info.socket);
    if (order_.size() > kMaxSockets) {
      places_.erase(order_.front());
      order_.pop_front();
    }
  }
  look(found->second, at, info.queue);
}

void AcceptQueues::push(const formats::StateChange& change, Nanos at) {
  if (change.queue == 0) return;
  const auto place = places_.find(change.socket);
  if (place == places_.end()) return;
  if (const auto found = listeners_.find(place->second.listener); found != listeners_.end())
    look(found->second, at, change.queue);
}

// Events of several CPUs come nearly in order: a connection that was accepted stays so.
void AcceptQueues::look(Listener& listener, Nanos at, std::uint32_t queue) {
  const Look* before = listener.looks.last_until(at);
  const std::int64_t first = listener.established - queue;
  listener.looks.add({at, before ? std::max(before->first, first) : first});
}

void AcceptQueues::unsure() {
  listeners_.clear();
  places_.clear();
  order_.clear();
}

Nanos AcceptQueues::queued_until(formats::SocketId socket) const {
  const auto place = places_.find(socket);
  if (place == places_.end()) return 0;
  const auto found = listeners_.find(place->second.listener);
  if (found == listeners_.end()) return 0;
  const Log<Look>& looks = found->second.looks;
  const Look* after =
      std::partition_point(looks.begin(), looks.end(), [&](const Look& l) { return l.first <= place->second.number; });
  return after == looks.begin() ? 0 : (after - 1)->time;
}

std::size_t AcceptQueues::forget_before(Nanos t) {
  std::size_t gone = 0;
  for (auto& [socket, listener] : listeners_) gone += listener.looks.forget_before(t);
  return gone;
}

}  // namespace tailcap::partition
