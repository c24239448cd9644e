#include "analyze/causes/setup.h"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <vector>

#include "formats/event.h"

namespace tailcap::causes {

using formats::known;
using formats::TcpState;
using formats::Time;
using model::Lookup;
using model::Setup;

namespace {

constexpr std::size_t kMaxLookups = 256;        // answered, not yet joined to a connection; of all processes
constexpr std::size_t kMaxConnects = 1u << 16;  // as many as closed connections are remembered (streams/facts.h)

struct Answered {
  Lookup lookup;
  formats::SocketId taken_by = 0;
};

// The phase of a connection before it was connected.
struct Name {
  Time began = model::kNoTime, done = model::kNoTime;
  std::string name;
  std::uint32_t attempts = 0;
};

// Forgets the oldest at a limit.
template <typename Key, typename Value>
class Recent {
 public:
  explicit Recent(std::size_t most) : most_(most) {}
  Value& operator[](Key key) {
    const auto [at, fresh] = map_.try_emplace(key);
    if (fresh) {
      order_.push_back(key);
      if (order_.size() > most_) {
        map_.erase(order_.front());
        order_.pop_front();
      }
    }
    return map_[key];
  }
  Value* find(Key key) {
    const auto at = map_.find(key);
    return at == map_.end() ? nullptr : &at->second;
  }

 private:
  std::size_t most_;
  std::unordered_map<Key, Value> map_;
  std::deque<Key> order_;
};

}  // namespace

struct SetupFinder::Impl {
  std::deque<Answered> answered;
  Recent<formats::SocketId, formats::Thread> connecting{
      kMaxConnects};  // the connecting thread, until the address is known
  Recent<formats::SocketId, Name> names{kMaxConnects};
  Recent<model::ConnectionId, std::shared_ptr<const model::TlsFacts>> tls{kMaxConnects};
  struct Draft {
    Setup setup;
    model::Role role = model::Role::server;
    bool whole = false;  // TLS is in it
  };
  std::unordered_map<model::ConnectionId, Draft> setups;  // of connections with requests

  void fill(Draft& draft, const model::Connection& carrier, model::TextPool& texts) {
    if (carrier.origin == formats::Origin::existed) return;
    Setup& setup = draft.setup;
    if (carrier.origin == formats::Origin::connected) {
      setup.connect_began = carrier.connect_started;
      setup.connect_done = carrier.established;
      if (const Name* name = names.find(carrier.socket)) {
        setup.dns_began = name->began;
        setup.dns_done = name->done;
        setup.dns_attempts = name->attempts;
        setup.dns_name = texts.intern(name->name);
      }
    }
    const auto* facts = tls.find(carrier.id);
    if (!facts || !*facts || (*facts)->outcome != model::TlsOutcome::done) return;
    const model::TlsFacts& f = **facts;
    // The role of the plaintext must be that of the handshake, or something is wrong with one of them.
    if ((f.client == model::Direction::out) != (draft.role == model::Role::client)) return;
    setup.tls_began = f.began;
    setup.tls_done = f.done;
    setup.tls_version = f.version;
    setup.tls_cipher = f.cipher;
    setup.tls_resumed = f.resumed;
    setup.tls_exact = f.done_exact;
    if (!f.server_name.empty()) setup.tls_server_name = texts.intern(f.server_name);
    draft.whole = true;
  }

  void connect(const formats::SocketInfo& info, Time at, const formats::Thread& who) {
    const model::IpAddress remote = model::ip_address(info.remote, info.family);
    for (auto a = answered.rbegin(); a != answered.rend(); ++a) {
      const Lookup& l = a->lookup;
      if (a->taken_by != 0 || l.thread.pid != who.pid || l.done > at || !known(l.began)) continue;
      if (std::find(l.addresses.begin(), l.addresses.end(), remote) == l.addresses.end()) continue;
      a->taken_by = info.socket;
      Name& name = names[info.socket];
      name = {l.began, l.done, l.name, l.attempts};
      // What the same thread asked of the same name meanwhile was waited for, too.
      for (Answered& other : answered) {
        const Lookup& o = other.lookup;
        if (&other == &*a || o.thread != l.thread || o.name != l.name || o.done > at || o.began > l.done ||
            o.done < l.began)
          continue;
        name.began = std::min(name.began, o.began);
        name.done = std::max(name.done, o.done);
        name.attempts = std::max(name.attempts, o.attempts);
        if (other.taken_by == 0) other.taken_by = info.socket;
      }
      return;
    }
  }
};

SetupFinder::SetupFinder() : impl_(std::make_unique<Impl>()) {}
SetupFinder::~SetupFinder() = default;

void SetupFinder::push(const Lookup& lookup) {
  if (lookup.rcode < 0 || !known(lookup.done) || !known(lookup.began)) return;
  if (impl_->answered.size() >= kMaxLookups) impl_->answered.pop_front();
  impl_->answered.push_back({lookup, 0});
}

void SetupFinder::push(const formats::Event& event) {
  Impl& i = *impl_;
  if (i.answered.empty()) return;
  if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    if (change->to == TcpState::syn_sent && change->by_thread) i.connecting[change->socket] = event.thread;
    if (change->from != TcpState::syn_sent || change->to != TcpState::close) return;
    for (Answered& a : i.answered)
      if (a.taken_by == change->socket) a.taken_by = 0;
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    if (info->state != TcpState::syn_sent) return;
    formats::Thread* who = i.connecting.find(info->socket);
    if (!who || who->pid == 0) return;
    i.connect(*info, event.time, *who);
    *who = {};
  }
}

void SetupFinder::push(model::ConnectionId id, std::shared_ptr<const model::TlsFacts> facts) {
  impl_->tls[id] = std::move(facts);
}

void SetupFinder::push(const model::Exchange& exchange, const model::Connection& connection,
                       const model::Connection& carrier, model::TextPool& texts) {
  Impl& i = *impl_;
  // It will never have any set-up facts: the usual case of a server without TLS.
  if (!connection.tls && carrier.origin != formats::Origin::connected) return;
  const auto [at, fresh] = i.setups.try_emplace(connection.id);
  if (fresh)
    at->second.role = exchange.role;
  else if (!connection.tls || at->second.whole)
    return;
  i.fill(at->second, carrier, texts);
}

void SetupFinder::ended(const model::Connection& session, const model::Connection& carrier, model::TextPool& texts) {
  const auto at = impl_->setups.find(session.id);
  if (at != impl_->setups.end() && !at->second.whole) impl_->fill(at->second, carrier, texts);
}

void SetupFinder::settle(model::RequestTable& table) {
  std::vector<std::pair<model::ExchangeId, Setup>> out;
  auto& setups = impl_->setups;
  for (std::size_t r = 0; r < table.rows.size() && !setups.empty(); ++r) {
    const Time start = table.rows.start(r);
    const model::ExchangeId id = table.rows.id(r);
    const auto at = known(start) ? setups.find(id.connection) : setups.end();
    if (at == setups.end()) continue;
    // The first to begin. Whatever was not over by then did not come before it.
    Setup& s = at->second.setup;
    if (known(s.tls_done) && s.tls_done > start) s.tls_began = s.tls_done = model::kNoTime;
    if (known(s.connect_done) && s.connect_done > start) s.connect_began = s.connect_done = model::kNoTime;
    if (known(s.dns_done) && s.dns_done > start) s.dns_began = s.dns_done = model::kNoTime;
    if (!s.empty()) out.emplace_back(id, s);
    setups.erase(at);
  }
  setups.clear();
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  table.setups.assign(std::move(out));
}

}  // namespace tailcap::causes
