#include "analyze/partition/history/peers.h"

#include "analyze/model/wire/connection.h"

namespace tailcap::partition {

using formats::SocketInfo;

namespace {

// What both ends of a connection say of it, this one's own view first or second. Loopback addresses mean something in
// their namespace only.
std::string pair_of(const SocketInfo& info, bool own) {
  if (info.family == formats::Family::unix_domain) {
    const std::uint64_t from = own ? info.inode : info.peer_inode, to = own ? info.peer_inode : info.inode;
    return from == 0 || to == 0 ? std::string() : "unix " + std::to_string(from) + " " + std::to_string(to);
  }
  model::Connection c;
  c.family = info.family;
  c.local = own ? info.local : info.remote;
  c.remote = own ? info.remote : info.local;
  if (c.local.port == 0 || c.remote.port == 0) return {};
  return std::to_string(info.net_namespace) + " " + model::endpoint(c, false) + " " + model::endpoint(c, true);
}

// A UNIX socket whose other end is not accepted yet: the kernel does not tell that one's number. Only the other end
// will know both.
std::string half_of(const SocketInfo& info, bool own) {
  const std::uint64_t number = own ? info.inode : info.peer_inode;
  if (info.family != formats::Family::unix_domain || number == 0) return {};
  return "unix " + std::to_string(number);
}

}  // namespace

std::uint32_t SocketPeers::describe(const SocketInfo& info, bool numbered, bool carries) {
  auto known = ends_.find(info.socket);
  if (known != ends_.end() && info.peer_pid != 0) known->second.client = info.peer_pid;
  if (known != ends_.end() && known->second.joined) return known->second.peer;
  // While it connects, its own port is not chosen yet.
  const std::string own = pair_of(info, true);
  const std::uint32_t peer = numbered ? number(info) : 0;
  if (known == ends_.end()) {
    if (ends_.size() >= kMaxSockets || (own.empty() && peer == 0 && info.peer_pid == 0)) return peer;
    known = ends_.emplace(info.socket, End{}).first;
    known->second.client = info.peer_pid;
  }
  known->second.peer = peer;
  if (carries && known->second.host == 0) known->second.host = host(info);
  known->second.joined = !own.empty();
  if (!own.empty())
    join(info.socket, own, half_of(info, false), pair_of(info, false));
  else if (const std::string half = half_of(info, true); !half.empty())
    waiting_[half] = info.socket;
  return peer;
}

std::uint32_t SocketPeers::number(const SocketInfo& info) {
  model::Connection c;
  c.family = info.family;
  c.remote = info.remote;
  c.path = std::string(info.path);
  const bool local = info.family == formats::Family::unix_domain;
  if (local ? c.path.empty() && info.peer_inode == 0 : info.remote.port == 0) return 0;
  std::string address = model::endpoint(c, true);
  // Without a path all of them look alike.
  std::string key = local && c.path.empty() ? "unix " + std::to_string(info.peer_inode) : address;
  return add(key, std::move(address), local ? std::uint16_t{0} : info.remote.port);
}

// The port of a client differs from connection to connection.
std::uint32_t SocketPeers::host(const SocketInfo& info) {
  if (info.family == formats::Family::unix_domain || info.remote.port == 0) return 0;
  model::Connection c;
  c.family = info.family;
  c.remote = info.remote;
  std::string address = model::endpoint(c, true);
  if (const auto colon = address.rfind(':'); colon != address.npos) address.resize(colon);
  return add("host " + address, address, 0);
}

std::uint32_t SocketPeers::add(const std::string& key, std::string address, std::uint16_t port) {
  const auto at = numbers_.find(key);
  if (at != numbers_.end()) return at->second;
  if (peers_.size() >= kMaxPeers) return 0;
  peers_.push_back({std::move(address), port, 0, {}});
  several_.push_back(false);
  const auto number = static_cast<std::uint32_t>(peers_.size());
  numbers_.emplace(key, number);
  return number;
}

// `own` is what this socket says of the connection, `half` what of it its other end knew, `theirs` what that would say.
void SocketPeers::join(formats::SocketId socket, const std::string& own, const std::string& half,
                       const std::string& theirs) {
  auto other = waiting_.find(own);
  if (other == waiting_.end() && !half.empty()) other = waiting_.find(half);
  if (other == waiting_.end() || other->second == socket) {
    waiting_[theirs] = socket;
    return;
  }
  End &near = ends_.at(socket), &far = ends_.at(other->second);
  near.other = other->second;
  far.other = socket;
  for (const std::uint32_t number : {near.peer, near.host}) told(number, far.pid);
  for (const std::uint32_t number : {far.peer, far.host}) told(number, near.pid);
  waiting_.erase(other);
}

std::uint32_t SocketPeers::number_of(formats::SocketId socket) const {
  const auto at = ends_.find(socket);
  return at == ends_.end() ? 0 : at->second.peer;
}

std::uint32_t SocketPeers::host_of(formats::SocketId socket) const {
  const auto at = ends_.find(socket);
  return at == ends_.end() ? 0 : at->second.host;
}

std::uint32_t SocketPeers::client_of(formats::SocketId socket) const {
  const auto at = ends_.find(socket);
  if (at == ends_.end()) return 0;
  const std::uint32_t recorded = process_of(at->second.other);
  return recorded != 0 ? recorded : at->second.client;
}

formats::SocketId SocketPeers::other_end(formats::SocketId socket) const {
  const auto at = ends_.find(socket);
  return at == ends_.end() ? 0 : at->second.other;
}

std::uint32_t SocketPeers::process_of(formats::SocketId socket) const {
  const auto at = ends_.find(socket);
  return at == ends_.end() ? 0 : at->second.pid;
}

void SocketPeers::used(formats::SocketId socket, std::uint32_t pid) {
  const auto at = ends_.find(socket);
  if (at == ends_.end() || pid == 0 || at->second.pid == pid) return;
  at->second.pid = pid;
  if (const auto other = ends_.find(at->second.other); other != ends_.end())
    for (const std::uint32_t number : {other->second.peer, other->second.host}) told(number, pid);
}

void SocketPeers::told(std::uint32_t peer, std::uint32_t pid) {
  if (peer == 0 || pid == 0) return;
  model::SocketPeer& p = peers_[peer - 1];
  if (p.pid != 0 && p.pid != pid) several_[peer - 1] = true;
  p.pid = pid;
}

void SocketPeers::named(std::uint32_t pid, std::string_view name) {
  if (pid == 0 || name.empty() || (names_.size() >= kMaxProcesses && !names_.contains(pid))) return;
  names_[pid] = std::string(name);
}

std::vector<model::SocketPeer> SocketPeers::all() const {
  std::vector<model::SocketPeer> out = peers_;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto name = names_.find(out[i].pid);
    if (name != names_.end()) out[i].process = name->second;
    if (several_[i]) out[i].pid = 0;  // one of them would be a guess
  }
  return out;
}

}  // namespace tailcap::partition
