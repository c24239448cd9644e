#include "analyze/causes/peers.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <tuple>
#include <unordered_map>

namespace tailcap::causes {

using flow::Finding;
using formats::Family;
using formats::Origin;

namespace {

// Exchanges that wait for their other end. Most never find one (it is on another host), so the oldest go.
constexpr std::size_t kMaxWaiting = 1u << 17;

// Where and in which bytes a request was made, said the same way by both ends.
struct Key {
  std::array<std::uint8_t, 16> server{}, client{};
  std::uint16_t server_port = 0, client_port = 0;
  std::uint32_t net_namespace = 0;
  std::uint64_t position = 0;  // TCP: sequence number of the first byte; UNIX: its offset
  bool operator==(const Key&) const = default;
};

struct Spread {
  std::size_t operator()(const Key& k) const {
    const auto mix = [](std::uint64_t h, std::uint64_t x) {
      h = (h ^ x) * 0x9e3779b97f4a7c15u;
      return h ^ (h >> 29);
    };
    std::uint64_t parts[4];
    std::memcpy(parts, k.server.data(), 16);
    std::memcpy(parts + 2, k.client.data(), 16);
    std::uint64_t h = mix(k.position, (std::uint64_t{k.server_port} << 16) | k.client_port);
    for (const std::uint64_t p : parts) h = mix(h, p);
    return static_cast<std::size_t>(mix(h, k.net_namespace));
  }
};

// ::ffff:a.b.c.d as the IPv4 address that it is: the two ends may be sockets of different families.
void put(const formats::Address& a, Family family, std::array<std::uint8_t, 16>& bytes, std::uint16_t& port) {
  constexpr std::array<std::uint8_t, 12> mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  port = a.port;
  if (family == Family::inet6) {
    bytes = a.bytes;
    return;
  }
  std::copy(mapped.begin(), mapped.end(), bytes.begin());
  std::copy_n(a.bytes.begin(), 4, bytes.begin() + 12);
}

// False: this end does not say enough to be recognised.
bool key_of(const flow::Exchange& e, const flow::Connection& c, Key& key) {
  const bool server = e.role == flow::Role::server;
  if (c.family == Family::unix_domain) {
    // Offsets agree only where both ends counted from the first byte.
    const bool whole = c.origin == Origin::connected || c.origin == Origin::accepted;
    if (!whole || c.inode == 0 || c.peer_inode == 0) return false;
    const std::uint64_t server_inode = server ? c.inode : c.peer_inode, client_inode = server ? c.peer_inode : c.inode;
    std::memcpy(key.server.data(), &server_inode, sizeof server_inode);
    std::memcpy(key.client.data(), &client_inode, sizeof client_inode);
    key.position = e.request_begin;
    return true;
  }
  if (c.family != Family::inet && c.family != Family::inet6) return false;
  put(server ? c.local : c.remote, c.family, key.server, key.server_port);
  put(server ? c.remote : c.local, c.family, key.client, key.client_port);
  if (key.server_port == 0 || key.client_port == 0) return false;
  key.net_namespace = c.net_namespace;
  const std::uint32_t base = c.base[server ? 1 : 0];
  key.position = static_cast<std::uint32_t>(base + static_cast<std::uint32_t>(e.request_begin));
  return true;
}

}  // namespace

struct Peers::Impl {
  struct Waiting { flow::ExchangeId id; flow::Role role; bool ambiguous; };
  std::unordered_map<Key, Waiting, Spread> waiting;
  std::deque<Key> order;
  flow::Findings findings;
};

Peers::Peers() : impl_(std::make_unique<Impl>()) {}
Peers::~Peers() = default;

std::optional<flow::ExchangeId> Peers::push(const flow::Exchange& exchange, const flow::Connection& connection) {
  Impl& i = *impl_;
  Key key;
  // Without its request an exchange has no first byte to be known by.
  if (!formats::known(exchange.request.first_done) || !key_of(exchange, connection, key)) return std::nullopt;
  const auto [it, fresh] = i.waiting.try_emplace(key, Impl::Waiting{exchange.id, exchange.role, false});
  if (fresh) {
    i.order.push_back(key);
    if (i.order.size() > kMaxWaiting) {
      i.waiting.erase(i.order.front());
      i.order.pop_front();
    }
    return std::nullopt;
  }
  if (it->second.role == exchange.role || it->second.ambiguous) {
    // Two ends of one role claim the same bytes (the same addresses in two places): none of them is joined.
    it->second.ambiguous = true;
    i.findings.add(Finding::peer_ambiguous);
    return std::nullopt;
  }
  // The key stays in `order` until its turn; erasing what is not there does no harm.
  const flow::ExchangeId peer = it->second.id;
  i.waiting.erase(it);
  return peer;
}

const flow::Findings& Peers::findings() const { return impl_->findings; }

}  // namespace tailcap::causes
