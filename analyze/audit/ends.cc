#include "analyze/audit/ends.h"

#include <utility>

#include "formats/event.h"
#include "formats/recorder_event.h"

namespace tailcap::audit {

using formats::Event;
using formats::known;
using formats::Origin;
using formats::TcpState;

namespace {

constexpr std::size_t kMostNamespaces = 10'000, kMostAddresses = 1000;  // of one namespace

}  // namespace

AuditedEnd* Ends::find(formats::SocketId socket) {
  const auto found = live_.find(socket);
  return found == live_.end() ? nullptr : &ends_[found->second];
}

AuditedEnd* Ends::open(formats::SocketId socket, Time at) {
  if (AuditedEnd* end = find(socket)) return end;
  if (socket == 0 || others_.contains(socket)) return nullptr;
  if (ends_.size() >= kMost) {
    full_ = true;
    return nullptr;
  }
  live_[socket] = ends_.size();
  ends_.push_back({.local = {}, .remote = {}, .first = at});
  return &ends_.back();
}

// sure: it is the thread that opened or accepted it. Who used it first is believed otherwise.
void Ends::used(AuditedEnd& end, const Event& event, bool sure) {
  if (event.thread.pid == 0 || (end.pid != 0 && !sure)) return;
  end.pid = event.thread.pid;
  end.used = event.time;
}

void Ends::on(const Event& event, const formats::SocketInfo& info) {
  const bool tcp = info.type == formats::SocketType::stream &&
                   (info.family == formats::Family::inet || info.family == formats::Family::inet6);
  if (!tcp || info.origin == Origin::listener || info.state == TcpState::listen) {
    if (others_.size() < kMost) others_.insert(info.socket);
    if (AuditedEnd* end = find(info.socket)) {
      *end = {};  // it was taken for a connection
      live_.erase(info.socket);
    }
    return;
  }
  AuditedEnd* end = open(info.socket, event.time);
  if (!end) return;
  if (end->origin == Origin::unknown || end->origin == Origin::existed) end->origin = info.origin;
  // A socket that has just begun to connect has no port yet: it is described again once it is established.
  if (end->local_port == 0) {
    end->local = model::audit::ip_of(info.family, info.local);
    end->local_port = info.local.port;
  }
  if (end->remote_port == 0) {
    end->remote = model::audit::ip_of(info.family, info.remote);
    end->remote_port = info.remote.port;
  }
  if (end->net_namespace == 0) end->net_namespace = info.net_namespace;
  if (event.time < end->first || !known(end->first)) end->first = event.time;
  if (info.state == TcpState::established && !known(end->established)) end->established = event.time;
}

void Ends::on(const Event& event, const formats::StateChange& change) {
  AuditedEnd* end = find(change.socket);
  if (end && change.to == TcpState::syn_sent && end->connecting && event.time > end->first) {
    live_.erase(change.socket);  // it connects again: another connection
    end = nullptr;
  }
  const bool begins = change.to == TcpState::syn_sent || change.to == TcpState::established;
  if (!end && begins && change.from != TcpState::listen) end = open(change.socket, event.time);
  if (change.to == TcpState::listen && others_.size() < kMost) others_.insert(change.socket);
  if (!end) return;
  if (change.to == TcpState::syn_sent) {
    end->connecting = true;
    if (end->origin == Origin::unknown) end->origin = Origin::connected;
    if (change.by_thread) used(*end, event, true);
  } else if (change.to == TcpState::established) {
    if (!known(end->established)) end->established = event.time;
  } else if (change.to == TcpState::close) {
    end->closed = event.time;
  }
  if (change.by_thread) used(*end, event, false);
}

void Ends::push(const Event& event) {
  processes_.push(event);
  containers_.push(event);
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    on(event, *info);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    on(event, *change);
  } else if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    if (AuditedEnd* end = find(io->socket)) {
      used(*end, event, false);
      if (io->length > 0 && !known(end->established)) end->established = event.time;
    }
  } else if (const auto* accept = std::get_if<formats::Accept>(&event.body)) {
    if (AuditedEnd* end = find(accept->socket)) used(*end, event, true);
  } else if (const auto* own = std::get_if<formats::NetInterface>(&event.body)) {
    const auto ip = model::audit::ip_of(own->family, own->address);
    if (!ip || (addresses_.size() >= kMostNamespaces && !addresses_.contains(own->net_namespace))) return;
    auto& all = addresses_[own->net_namespace];
    if (all.size() < kMostAddresses) all.push_back(*ip);
  } else if (const auto* clock = std::get_if<formats::ClockSnapshot>(&event.body)) {
    clock_.add(event.time, clock->realtime, clock->uncertainty);
  } else if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    lost_ += loss->count;
    damaged_ = true;
  } else if (std::holds_alternative<formats::Damage>(event.body)) {
    damaged_ = true;
  } else if (const auto* end = std::get_if<formats::CaptureEnd>(&event.body)) {
    damaged_ = damaged_ || end->state != formats::CaptureState::complete;
  }
}

std::vector<AuditedEnd> Ends::take() {
  live_.clear();
  std::vector<AuditedEnd> out = std::move(ends_);
  ends_.clear();
  // A socket that was only described, and neither connected nor accepted, is no connection.
  std::erase_if(
      out, [](const AuditedEnd& end) { return !end.connecting && !known(end.established) && end.remote_port == 0; });
  return out;
}

const std::vector<model::IpAddress>* Ends::addresses_of(std::uint32_t net_namespace) const {
  const auto found = addresses_.find(net_namespace);
  return found == addresses_.end() ? nullptr : &found->second;
}

}  // namespace tailcap::audit
