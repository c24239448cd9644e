#include "analyze/pipeline/window/past.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "analyze/exchanges/exchanges.h"
#include "analyze/model/request.h"
#include "analyze/names/lookups.h"
#include "analyze/protocols/protocols.h"
#include "analyze/streams/streams.h"
#include "analyze/timeline/timeline.h"
#include "formats/file/read_limits.h"
#include "formats/skim/skim.h"

namespace tailcap::pipeline {
namespace {

using formats::Event;
using formats::Kind;
using formats::known;
using formats::SocketId;
using formats::TcpState;
using formats::Time;

constexpr std::uint64_t kMaxKept = 1ull << 30;  // bytes

class PastChoice : public formats::EventChoice {
 public:
  PastChoice(model::ExchangeId id, const std::set<model::ConnectionId>& whole,
             const std::vector<Numberless>& numberless)
      : id_(id), whole_(whole) {
    for (const Numberless& n : numberless)
      if (!whole.contains(n.id.connection)) searched_[n.id.connection].push_back(n);
    parsed_ = searched_.size();
  }

  Answer wants(Kind kind, SocketId socket) override;
  void take(const Event& event) override;

  KeptEvents& kept() { return kept_; }
  bool has_tls() const { return has_tls_; }
  bool found() const { return found_; }
  bool numbered() const { return parsed_ == 0; }
  const exchanges::Exchanges::Numbers& numbers() const { return numbers_; }
  Time start() const { return start_; }
  SocketId socket() const { return socket_; }
  std::uint32_t connections() const { return streams_.connections(); }

 private:
  // closing: what still comes of it decides whether the number of its socket is used again.
  enum class Is : std::uint8_t { open, closing, counted, whole, datagram };

  // As it is to be read later. False: it is not.
  bool choose(Event& event);
  void follow(const Event& event);
  void found(const model::Exchange& exchange);

  const model::ExchangeId id_;
  const std::set<model::ConnectionId>& whole_;
  KeptEvents kept_;
  std::unordered_map<SocketId, Is> sockets_;
  names::Lookups names_;
  streams::Streams streams_;
  protocols::Parsers parsers_;      // of the connection of the request, and of those whose numbers are searched for
  exchanges::Exchanges exchanges_;  // likewise
  std::unordered_map<model::ConnectionId, std::vector<Numberless>> searched_;
  std::size_t parsed_;  // of those, not found yet
  exchanges::Exchanges::Numbers numbers_;
  std::uint32_t numbered_ = 0;  // connections
  bool has_tls_ = false, found_ = false;
  Time start_ = formats::kNoTime;
  SocketId socket_ = 0;
};

PastChoice::Answer PastChoice::wants(Kind kind, SocketId socket) {
  switch (kind) {
    case Kind::send:
    case Kind::receive:
    case Kind::arrival:
    case Kind::retransmit:
      break;
    case Kind::tls_send:
    case Kind::tls_receive:
    case Kind::tls_step:
      has_tls_ = true;
      return Answer::pass;
    default:
      return Answer::pass;
  }
  const auto at = sockets_.find(socket);
  const bool moved = kind == Kind::send || kind == Kind::receive;
  if (at == sockets_.end()) return moved ? Answer::take : Answer::pass;
  if (at->second == Is::open) return Answer::pass_block;
  return moved || at->second == Is::whole || (at->second == Is::counted && kind == Kind::arrival) ? Answer::take
                                                                                                  : Answer::pass;
}

void PastChoice::take(const Event& event) {
  follow(event);
  Event kept = event;
  if (choose(kept)) kept_.push(kept);
}

// Numbers its connection, and searches for the request.
void PastChoice::follow(const Event& event) {
  names_.push(event);
  if (names_.took()) {
    if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) sockets_[info->socket] = Is::datagram;
    return;
  }
  for (const model::ByteRun& run : streams_.push(event)) {
    if (run.connection != id_.connection && !searched_.contains(run.connection)) continue;
    for (const model::Message& message : parsers_.push(run))
      for (const model::Exchange& exchange : exchanges_.push(message)) found(exchange);
  }
  for (; numbered_ < streams_.connections(); ++numbered_) {
    const model::Connection* c = streams_.connection(numbered_ + 1);
    if (!c) continue;
    if (c->id == id_.connection) socket_ = c->socket;
    if (whole_.contains(c->id))
      sockets_[c->socket] = Is::whole;
    else if (searched_.contains(c->id))
      sockets_[c->socket] = Is::counted;
  }
}

void PastChoice::found(const model::Exchange& exchange) {
  if (exchange.id == id_) {
    found_ = true;
    for (const Time t : {exchange.request.first_arrived, exchange.request.first_done})
      if (known(t) && (!known(start_) || t < start_)) start_ = t;
    return;
  }
  const auto at = searched_.find(exchange.id.connection);
  if (at == searched_.end() || numbers_.contains(exchange.id.connection)) return;
  model::Request row;
  model::Findings none;
  timeline::measure(exchange, row, none);
  for (const Numberless& n : at->second) {
    const std::uint32_t place = n.id.index - model::kProvisional;  // among those of the window
    if (row.start != n.start || row.duration != n.duration || exchange.id.index < place) continue;
    numbers_[exchange.id.connection] = exchange.id.index - place;
    --parsed_;
    return;
  }
}

bool PastChoice::choose(Event& event) {
  if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    const SocketId socket = io->socket;
    const auto at = sockets_.find(socket);
    if (at != sockets_.end()) return at->second != Is::open && at->second != Is::counted;
    if (io->length == 0) return false;  // it opens nothing
    // It gives the connection its number, but its bytes are not to be read.
    sockets_[socket] = Is::open;
    event.body = formats::SocketInfo{.socket = socket};
  } else if (const auto* arrival = std::get_if<formats::Arrival>(&event.body)) {
    const auto at = sockets_.find(arrival->socket);
    return at != sockets_.end() && at->second == Is::whole;
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    sockets_.try_emplace(info->socket, Is::open);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    const bool opens =
        change->to == TcpState::syn_sent || (change->to == TcpState::established && change->from != TcpState::listen);
    const bool closes = change->to == TcpState::close || change->to == TcpState::left_out;
    const auto at = sockets_.find(change->socket);
    if (at == sockets_.end()) {
      if (opens) sockets_[change->socket] = Is::open;
    } else if (closes && (at->second == Is::open || at->second == Is::counted)) {
      at->second = Is::closing;
    } else if (opens && at->second == Is::closing) {
      at->second = Is::open;
    }
  } else if (const auto* reset = std::get_if<formats::Reset>(&event.body)) {
    if (const auto at = sockets_.find(reset->socket); at != sockets_.end() && at->second == Is::open)
      at->second = Is::closing;
  }
  return true;
}

struct Mark {  // before a block
  std::size_t place, kept;
  std::uint64_t events;
  std::uint32_t connections;
  Time latest;
};

}  // namespace

std::shared_ptr<const Past> past_of(const std::string& path, model::ExchangeId id, const PastOptions& options) {
  if (id.connection == 0) return nullptr;
  std::set<model::ConnectionId> whole = options.whole;
  whole.insert(id.connection);
  const std::uint64_t most = std::min(kMaxKept, formats::read_limits().memory / 4);
  PastChoice choice(id, whole, options.numberless);
  formats::Skim skim(path, options.threads);
  std::vector<Mark> marks;
  std::uint64_t events = 0, until_found = 0;
  Time latest = formats::kNoTime;
  for (std::size_t place = 0; !choice.found() || (!choice.numbered() && latest <= options.search_until); ++place) {
    marks.push_back({place, choice.kept().size(), events, choice.connections(), latest});
    const bool searched = !choice.found();
    if (!skim.next(choice)) {
      if (choice.found() && skim.sound()) break;
      return nullptr;
    }
    if (choice.has_tls() || choice.kept().bytes() > most) return nullptr;
    events += skim.events();
    latest = std::max(latest, skim.last());
    if (searched) until_found = events;
    if (options.passed) options.passed(events);
  }
  if (!known(choice.start()) || choice.socket() == 0) return nullptr;
  const auto begins = std::find_if(marks.rbegin(), marks.rend(), [&](const Mark& m) {
    return m.latest <= choice.start() - options.before && until_found >= m.events + options.least_events;
  });
  if (begins == marks.rend() || begins->events < std::max<std::uint64_t>(1, options.least_before)) return nullptr;
  auto past = std::make_shared<Past>();
  past->events = std::move(choice.kept());
  past->events.keep_first(begins->kept);
  past->place = begins->place;
  past->left_behind = begins->events;
  past->until = begins->latest;
  past->partly = {begins->connections, std::move(whole)};
  past->numbers = options.numbers;
  past->numbers.insert(choice.numbers().begin(), choice.numbers().end());
  past->socket = choice.socket();
  return past;
}

}  // namespace tailcap::pipeline
