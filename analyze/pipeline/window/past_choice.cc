#include "analyze/pipeline/window/past_choice.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "analyze/model/request.h"
#include "analyze/timeline/timeline.h"

namespace tailcap::pipeline {

using formats::Event;
using formats::Kind;
using formats::known;
using formats::SocketId;
using formats::TcpState;
using formats::Time;

namespace {

constexpr std::uint8_t kLastFrameType = 9;  // of HTTP/2

bool names_upgrade(std::string_view head) {
  constexpr std::string_view kField = "\nupgrade:";
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b; };
  return std::ranges::search(head, kField, same).size() != 0;
}

// By the first bytes of a connection. A frame of HTTP/2 begins with its length, which is less than 65,536 at first.
bool needs_its_beginning(std::string_view head) {
  return head.starts_with("PRI * HTTP/2") || head.starts_with("CONNECT ") || names_upgrade(head) ||
         (head.size() >= 4 && head[0] == 0 && static_cast<std::uint8_t>(head[3]) <= kLastFrameType);
}

}  // namespace

PastChoice::PastChoice(model::ExchangeId id, std::set<model::ConnectionId> whole,
                       const std::vector<Numberless>& numberless)
    : id_(id), whole_(std::move(whole)) {
  for (const Numberless& n : numberless)
    if (!whole_.contains(n.id.connection)) searched_[n.id.connection].push_back(n);
  parsed_ = searched_.size();
}

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
      return Answer::pass_block;
    default:
      return Answer::pass_block;
  }
  const auto at = sockets_.find(socket);
  const bool moved = kind == Kind::send || kind == Kind::receive;
  if (at == sockets_.end() || at->second == Is::fresh) return moved ? Answer::take : Answer::pass;
  if (at->second == Is::open) return Answer::pass_block;
  const bool parsed = at->second == Is::counted && (kind == Kind::arrival || socket == socket_);
  return moved || at->second == Is::whole || parsed ? Answer::take : Answer::pass;
}

void PastChoice::take(const Event& event) {
  follow(event);
  Event kept = event;
  if (choose(kept)) kept_.push(kept);
}

// Numbers its connection, and searches for the request.
void PastChoice::follow(const Event& event) {
  const std::span<const model::ByteRun> runs = wire_.push(event);
  if (wire_.datagram()) {
    if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) sockets_[info->socket] = Is::datagram;
    return;
  }
  for (const model::ByteRun& run : runs) {
    if (run.connection == id_.connection)
      between_ = false;
    else if (!searched_.contains(run.connection))
      continue;
    wire_.exchanges(run, [&](const model::Exchange& exchange) { found(exchange); });
  }
  opens_counted_ = false;
  number_connections();
  const auto* io = id_.connection == 0 ? std::get_if<formats::Io>(&event.body) : nullptr;
  if (!io || !needs_its_beginning(io->head)) return;
  const auto at = sockets_.find(io->socket);
  const auto id = ids_.find(io->socket);
  if (id == ids_.end() || (at != sockets_.end() && at->second != Is::fresh)) return;
  sockets_[io->socket] = Is::whole;
  whole_.insert(id->second);
}

void PastChoice::number_connections() {
  for (; numbered_ < wire_.connections(); ++numbered_) {
    const model::Connection* c = wire_.connection(numbered_ + 1);
    if (!c) continue;
    if (c->id == id_.connection) socket_ = c->socket;
    if (whole_.contains(c->id))
      sockets_[c->socket] = Is::whole;
    else if (c->id == id_.connection || searched_.contains(c->id))
      opens_counted_ = sockets_.insert_or_assign(c->socket, Is::counted).second;
    if (id_.connection != 0) continue;
    ids_[c->socket] = c->id;
    if (const auto at = sockets_.find(c->socket);
        at != sockets_.end() && at->second == Is::whole && !whole_.contains(c->id))
      at->second = Is::fresh;  // the number of a socket that is closed
  }
}

std::optional<Counted> PastChoice::counted() const {
  const model::Connection* c = between_ ? wire_.connection(id_.connection) : nullptr;
  if (!c) return std::nullopt;
  return Counted{exchanges_, c->bytes_in, c->bytes_out, c->lost_in, c->lost_out, c->retransmits, c->events_missed};
}

void PastChoice::found(const model::Exchange& exchange) {
  if (exchange.id.connection == id_.connection) {
    const bool plain = exchange.protocol == model::Protocol::http10 || exchange.protocol == model::Protocol::http11;
    if (!plain || exchange.outcome == model::Outcome::upgraded) needs_whole_ = !whole_.contains(id_.connection);
    exchanges_ = std::max(exchanges_, exchange.id.index);
    between_ = true;
  }
  if (exchange.id == id_) {
    found_ = true;
    for (const Time t : {exchange.request.first_arrived, exchange.request.first_done})
      if (known(t) && (!known(start_) || t < start_)) start_ = t;
    model::Request row;
    model::Findings none;
    timeline::measure(exchange, row, none);
    duration_ = row.duration;
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

bool PastChoice::is_whole(SocketId socket) const {
  const auto at = sockets_.find(socket);
  return at != sockets_.end() && at->second == Is::whole;
}

bool PastChoice::choose(Event& event) {
  if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    const SocketId socket = io->socket;
    const auto at = sockets_.find(socket);
    if (at != sockets_.end() && at->second == Is::counted && std::exchange(opens_counted_, false)) {
      event.body = formats::SocketInfo{.socket = socket};
      return true;
    }
    if (at != sockets_.end() && at->second != Is::fresh) return at->second != Is::open && at->second != Is::counted;
    if (io->length == 0) return false;  // it opens nothing
    if (at != sockets_.end()) {
      at->second = Is::open;
      return false;
    }
    // It gives the connection its number, but its bytes are not to be read.
    sockets_[socket] = Is::open;
    event.body = formats::SocketInfo{.socket = socket};
  } else if (const auto* arrival = std::get_if<formats::Arrival>(&event.body)) {
    return is_whole(arrival->socket);
  } else if (const auto* again = std::get_if<formats::Retransmit>(&event.body)) {
    return is_whole(again->socket);
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    sockets_.try_emplace(info->socket, opened());
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    const bool opens =
        change->to == TcpState::syn_sent || (change->to == TcpState::established && change->from != TcpState::listen);
    const bool closes = change->to == TcpState::close || change->to == TcpState::left_out;
    const auto at = sockets_.find(change->socket);
    if (at == sockets_.end()) {
      if (opens) sockets_[change->socket] = opened();
    } else if (closes && (at->second == Is::fresh || at->second == Is::open || at->second == Is::counted)) {
      at->second = Is::closing;
    } else if (opens && at->second == Is::closing) {
      at->second = opened();
    }
  } else if (const auto* reset = std::get_if<formats::Reset>(&event.body)) {
    if (const auto at = sockets_.find(reset->socket);
        at != sockets_.end() && (at->second == Is::fresh || at->second == Is::open))
      at->second = Is::closing;
  }
  return true;
}

}  // namespace tailcap::pipeline
