#include "analyze/causes/peers.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <vector>

#include "formats/event.h"
#include "ground/memory.h"

namespace tailcap::causes {

using formats::Family;
using formats::Origin;
using model::Finding;

namespace {

// Exchanges that wait for their other end. Most never find one (it is on another host), so the oldest go.
constexpr std::size_t kMaxWaiting = 1u << 17;

// The connection and position of a request, in a form that is equal at both ends.
struct Key {
  std::array<std::uint8_t, 16> server{}, client{};
  std::uint16_t server_port = 0, client_port = 0;
  std::uint32_t net_namespace = 0;
  std::uint64_t position = 0;  // TCP: sequence number of the first byte; UNIX: its offset
  bool pushed = false;         // a position in what the server sends
  bool tls = false;            // position is in the plaintext, with that of the connection's first byte above it
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
    std::uint64_t h = mix(k.position, (std::uint64_t{k.tls} << 33) | (std::uint64_t{k.pushed} << 32) |
                                          (std::uint64_t{k.server_port} << 16) | k.client_port);
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

bool loopback(const std::array<std::uint8_t, 16>& a) {
  constexpr std::array<std::uint8_t, 13> inet = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
  constexpr std::array<std::uint8_t, 16> inet6 = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  return std::equal(inet.begin(), inet.end(), a.begin()) || a == inet6;
}

// False: this end does not say enough to be recognised.
bool key_of(const Mark& e, const model::Connection& c, Key& key) {
  const bool server = e.role == model::Role::server;
  key.pushed = e.pushed;
  key.tls = c.tls;
  if (c.tls && !c.from_start) return false;
  if (c.family == Family::unix_domain) {
    // Bytes are counted from the first that is seen: of a socket that existed before, not from its first byte. The
    // client's inode is enough: it may send before accept() gives its peer one.
    const std::uint64_t client_inode = server ? c.peer_inode : c.inode;
    if (client_inode == 0) return false;
    std::memcpy(key.client.data(), &client_inode, sizeof client_inode);
    key.position = c.base[server != e.pushed ? 1 : 0] + e.request_begin;
    return true;
  }
  if (c.family != Family::inet && c.family != Family::inet6) return false;
  put(server ? c.local : c.remote, c.family, key.server, key.server_port);
  put(server ? c.remote : c.local, c.family, key.client, key.client_port);
  if (key.server_port == 0 || key.client_port == 0) return false;
  // Each network namespace has loopback to itself; every other address belongs to one end, whose other end may be in
  // another namespace, or on another machine.
  if (loopback(key.server) || loopback(key.client)) key.net_namespace = c.net_namespace;
  const std::uint32_t base = c.base[server != e.pushed ? 1 : 0];
  if (c.tls)
    key.position = std::uint64_t{base} << 32 | static_cast<std::uint32_t>(e.request_begin);
  else
    key.position = static_cast<std::uint32_t>(base + static_cast<std::uint32_t>(e.request_begin));
  return true;
}

// The same of a TCP connection by what addresses that are rewritten on the way leave as it is: the initial sequence
// numbers of both directions, 64 bits that were drawn for this connection. A proxy has other connections, so its two
// sides differ. False: this end was not seen from its first byte on.
bool numbers_of(const Mark& e, const model::Connection& c, Key& key) {
  if (c.family != Family::inet && c.family != Family::inet6) return false;
  if ((c.origin != Origin::connected && c.origin != Origin::accepted) || (c.tls && !c.from_start)) return false;
  const bool server = e.role == model::Role::server;
  const std::uint32_t asking = c.base[server ? 1 : 0], answering = c.base[server ? 0 : 1];
  if (asking == 0 || answering == 0) return false;
  std::memcpy(key.client.data(), &asking, sizeof asking);
  std::memcpy(key.client.data() + sizeof asking, &answering, sizeof answering);
  key.position = e.request_begin;
  key.pushed = e.pushed;
  key.tls = c.tls;
  return true;
}

struct Keys {
  Keys(const Mark& e, const model::Connection& c) {
    known = formats::known(e.asked) && key_of(e, c, addresses);
    numbered = known && numbers_of(e, c, numbers);
  }
  Key addresses, numbers;
  bool known = false, numbered = false;
};

// False: one is over before the other begins, by the instants at which their calls returned.
bool overlap(const Mark& one, const Mark& other) {
  const auto before = [](const Mark& a, const Mark& b) { return formats::known(a.answered) && a.answered < b.asked; };
  return !before(one, other) && !before(other, one);
}

// An end of a UNIX socket that another process had before may have been seen later than the other end. Then the bytes
// at one place are those of different requests, and hardly any of them overlap. Where both ends were seen from the same
// byte on, single requests do not overlap either: a client that loses its CPU in the call that sends may be answered
// before that call returns. So the requests of a connection decide together; where an end is older than the recording,
// several of them have to agree.
class UnixPlaces {
 public:
  // True: the two are one request. False: they are not, or it is not known yet. old: an end is older than the
  // recording.
  bool same(const Mark& one, const Mark& other, bool old) {
    if (connections_.size() >= kMostConnections) forget();
    Votes& votes = connections_[one.id.connection];
    if (old) votes.least = kLeastOfOld;
    const bool together = overlap(one, other);
    ++(together ? votes.together : votes.apart);
    if (together && votes.together > votes.apart && votes.together >= votes.least) return true;
    if (votes.open.size() < kMostOpen) votes.open.emplace_back(one.id, other.id);
    return false;
  }

  std::vector<Peers::Pair> late() {
    std::vector<Peers::Pair> out;
    for (auto& [connection, votes] : connections_) {
      if (votes.together > 2 * votes.apart && votes.together >= votes.least)
        out.insert(out.end(), votes.open.begin(), votes.open.end());
      votes.open.clear();
    }
    return out;
  }

 private:
  static constexpr std::size_t kMostConnections = 1u << 16, kMostOpen = 100;
  static constexpr std::uint32_t kLeastOfOld = 3;
  struct Votes {
    std::uint32_t together = 0, apart = 0;
    std::uint32_t least = 1;  // together
    std::vector<Peers::Pair> open;
  };

  void forget() {
    std::erase_if(connections_, [](const auto& entry) { return entry.second.open.empty(); });
    if (connections_.size() > kMostConnections / 2) connections_.clear();
  }

  std::unordered_map<model::ConnectionId, Votes> connections_;  // by the end that was seen first
};

// The exchanges that wait, linked in the order in which they came, and a table that finds them by their key. Memory
// follows how many wait: places of those that found their other end are used again, the last first.
class WaitingRoom {
 public:
  struct Entry {
    Key key;
    Mark mark;
    bool ambiguous = false;
    bool old = false;  // its connection is older than the recording
  };

  Entry* find(const Key& key) {
    if (slots_.empty()) return nullptr;
    const std::uint32_t hash = hash_of(key);
    for (std::size_t i = home(hash); slots_[i].at != kNone; i = next(i))
      if (slots_[i].hash == hash && places_[slots_[i].at].entry.key == key) return &places_[slots_[i].at].entry;
    return nullptr;
  }

  // find() and add() of this key come soon. Also fetches what goes to make room for it.
  [[gnu::always_inline]] void expect(const Key& key) const {
    if (slots_.empty()) return;
    ground::prefetch(slots_[home(hash_of(key))]);
    if (waiting_ < kMaxWaiting) return;
    const Place& oldest = places_[oldest_];  // fetched when the one before it went
    ground::prefetch(slots_[home(oldest.hash)]);
    ground::prefetch(places_[oldest.newer]);
  }

  void add(const Entry& entry) {
    if (waiting_ == kMaxWaiting) erase(oldest_);
    if (kSparse * (waiting_ + 1) > slots_.size()) grow();
    std::uint32_t at = free_;
    if (at == kNone) {
      at = static_cast<std::uint32_t>(places_.size());
      places_.emplace_back();
    } else {
      free_ = places_[at].newer;
    }
    places_[at] = {entry, hash_of(entry.key), newest_, kNone};
    (newest_ == kNone ? oldest_ : places_[newest_].newer) = at;
    newest_ = at;
    ++waiting_;
    put(at);
  }

  // entry: of find().
  void erase(const Entry& entry) {
    for (std::size_t i = home(hash_of(entry.key));; i = next(i))
      if (&places_[slots_[i].at].entry == &entry) return erase(slots_[i].at);
  }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  static constexpr std::size_t kSparse = 2;  // slots for each that waits, at least: probes are short
  static constexpr std::size_t kFewest = 1024;

  struct Place {
    Entry entry;
    std::uint32_t hash = 0;                      // of its key
    std::uint32_t older = kNone, newer = kNone;  // newer: where it is free, the next that is
  };
  // The hash is kept beside the place: the key, which lies elsewhere, is looked at only where it is likely the same.
  struct Slot {
    std::uint32_t at = kNone, hash = 0;
  };

  static std::uint32_t hash_of(const Key& key) { return static_cast<std::uint32_t>(Spread{}(key)); }
  std::size_t home(std::uint32_t hash) const { return hash & (slots_.size() - 1); }
  std::size_t next(std::size_t i) const { return (i + 1) & (slots_.size() - 1); }

  void put(std::uint32_t at) {
    const std::uint32_t hash = places_[at].hash;
    std::size_t i = home(hash);
    while (slots_[i].at != kNone) i = next(i);
    slots_[i] = {at, hash};
  }

  void grow() {
    slots_.assign(std::max(kFewest, 2 * slots_.size()), {});  // a power of two
    for (std::uint32_t at = oldest_; at != kNone; at = places_[at].newer) put(at);
  }

  // Takes it out of the table and closes the gap.
  void erase(std::uint32_t at) {
    std::size_t i = home(places_[at].hash);
    while (slots_[i].at != at) i = next(i);
    for (std::size_t k = next(i); slots_[k].at != kNone; k = next(k)) {
      // Move it down unless its home lies behind the gap.
      const std::size_t mask = slots_.size() - 1;
      if (((k - home(slots_[k].hash)) & mask) < ((k - i) & mask)) continue;
      slots_[i] = slots_[k];
      i = k;
    }
    slots_[i] = {};
    Place& place = places_[at];
    (place.older == kNone ? oldest_ : places_[place.older].newer) = place.newer;
    (place.newer == kNone ? newest_ : places_[place.newer].older) = place.older;
    place.newer = free_;
    free_ = at;
    --waiting_;
  }

  std::vector<Place> places_;
  std::vector<Slot> slots_;
  std::size_t waiting_ = 0;
  std::uint32_t oldest_ = kNone, newest_ = kNone, free_ = kNone;
};

}  // namespace

struct Peers::Impl {
  WaitingRoom waiting;     // by addresses
  WaitingRoom renumbered;  // TCP: by sequence numbers alone
  UnixPlaces places;
  model::Findings findings;
};

Peers::Peers() : impl_(std::make_unique<Impl>()) {}
Peers::~Peers() = default;

Mark mark_of(const model::Exchange& e) {
  return {e.id, e.role, e.request.first_done, e.response.first_done, e.request_begin, e.pushed};
}

void Peers::expect(const Mark& exchange, const model::Connection& connection) const {
  const Keys keys(exchange, connection);
  if (!keys.known) return;
  impl_->waiting.expect(keys.addresses);
  if (keys.numbered) impl_->renumbered.expect(keys.numbers);
}

std::optional<model::ExchangeId> Peers::push(const Mark& exchange, const model::Connection& connection) {
  Impl& i = *impl_;
  const Keys keys(exchange, connection);
  if (!keys.known) return std::nullopt;
  WaitingRoom::Entry* other = i.waiting.find(keys.addresses);
  WaitingRoom::Entry* const same_numbers = keys.numbered ? i.renumbered.find(keys.numbers) : nullptr;
  if (!other && same_numbers && same_numbers->mark.role != exchange.role) {
    const Mark peer = same_numbers->mark;
    i.renumbered.erase(*same_numbers);
    return peer.id;
  }
  if (!other) {
    i.waiting.add({keys.addresses, exchange, false, connection.origin == Origin::existed});
    if (keys.numbered && !same_numbers) i.renumbered.add({keys.numbers, exchange, false});
    return std::nullopt;
  }
  if (other->mark.role == exchange.role || other->ambiguous) {
    // Two ends of one role claim the same bytes (the same addresses in two places): none of them is joined.
    other->ambiguous = true;
    if (same_numbers) i.renumbered.erase(*same_numbers);
    i.findings.add(Finding::peer_ambiguous);
    return std::nullopt;
  }
  const Mark peer = other->mark;
  const bool old = other->old || connection.origin == Origin::existed;
  i.waiting.erase(*other);
  if (same_numbers && same_numbers->mark.id == peer.id) i.renumbered.erase(*same_numbers);
  if (connection.family == Family::unix_domain && !i.places.same(peer, exchange, old)) return std::nullopt;
  return peer.id;
}

std::vector<Peers::Pair> Peers::late() {
  impl_->waiting = {};
  impl_->renumbered = {};
  return impl_->places.late();
}

const model::Findings& Peers::findings() const { return impl_->findings; }

}  // namespace tailcap::causes
