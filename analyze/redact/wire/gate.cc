#include "analyze/redact/wire/gate.h"

#include <algorithm>

#include "analyze/redact/wire/dns.h"

namespace tailcap::redact::wire {
namespace {

// Bytes that say something: neither asterisks nor those that the recorder wrote for bytes it did not understand.
bool speaks(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != '*' && c != '?'; });
}

}  // namespace

void Gate::begin(const formats::SocketInfo& info) {
  using formats::Origin;
  using formats::TcpState;
  if (info.origin == Origin::listener) return;
  if (info.type == formats::SocketType::datagram) {
    if (info.family == formats::Family::inet || info.family == formats::Family::inet6)
      entry(info.socket).connection.names();
    return;
  }
  if (info.state == TcpState::syn_sent || info.state == TcpState::syn_recv || info.state == TcpState::new_syn_recv)
    return;
  // A capture describes a socket again in every keyframe, then in the middle of its stream: the first time counts.
  Entry& e = entry(info.socket);
  if (e.begun) return;
  e.begun = true;
  const bool unix_begins = info.family == formats::Family::unix_domain && info.origin != Origin::existed;
  const bool begins = info.origin == Origin::connected || info.origin == Origin::accepted || unix_begins;
  if (begins || info.origin == Origin::existed) e.connection.begin(info.next_out, info.next_in, begins && !forgot_);
}

void Gate::begin(const formats::TlsStep& step) {
  if (step.step == formats::TlsStepKind::handshake) entry(step.session).connection.begin(0, 0, !forgot_);
  if (step.step == formats::TlsStepKind::freed) forget_later(step.session);
}

void Gate::take(formats::Event& event) {
  if (auto* io = std::get_if<formats::Io>(&event.body)) {
    if (io->length > 0) return apply_to(io->socket, *io);
    io->head = io->tail = {};
  } else if (auto* plain = std::get_if<formats::TlsIo>(&event.body)) {
    if (plain->length > 0) return apply_to(plain->session, *plain);
    plain->head = plain->tail = {};
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    begin(*info);
  } else if (const auto* step = std::get_if<formats::TlsStep>(&event.body)) {
    begin(*step);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    if (change->to == formats::TcpState::close) forget_later(change->socket);
  }
}

void Gate::forget_later(std::uint64_t id) {
  closed_.push_back(id);
  if (closed_.size() <= kClosedKept) return;
  forget(closed_.front());
  closed_.pop_front();
}

void Gate::forget(std::uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  order_.erase(found->second.used);
  connections_.erase(found);
}

Gate::Entry& Gate::entry(std::uint64_t id) {
  const auto [found, is_new] = connections_.try_emplace(id);
  Entry& e = found->second;
  if (!is_new) {
    order_.splice(order_.begin(), order_, e.used);
    return e;
  }
  order_.push_front(id);
  e.used = order_.begin();
  if (connections_.size() > most_) {
    forget(order_.back());
    forgot_ = true;
  }
  return e;
}

template <class AnyIo>
void Gate::apply_to(std::uint64_t id, AnyIo& io) {
  Entry& e = entry(id);
  // No recorder writes more bytes than were moved.
  if (io.head.size() > io.length) io.head = {};
  if (io.tail.size() > io.length - io.head.size()) io.tail = {};
  if (e.connection.is_names()) {
    datagram_ = io.head;
    io.head = redact_dns(datagram_, list_) ? std::string_view(datagram_) : std::string_view();
    io.tail = {};
    return;
  }
  const bool spoke = speaks(io.head) || speaks(io.tail);
  sheet_.begin(io.head, io.tail);
  Connection& c = e.connection;
  const std::uint64_t sends = c.withheld_calls(0), receives = c.withheld_calls(1), withheld = c.withheld();
  c.moved(static_cast<unsigned>(io.direction), {static_cast<std::uint32_t>(io.position), io.length, io.head, io.tail},
          sheet_, list_);
  if (spoke && c.withheld() > withheld) {
    sum_.doubtful += !e.doubtful;
    e.doubtful = true;
    sum_.withheld += io.head.size() + io.tail.size();
    sum_.sends += c.withheld_calls(0) - sends;
    sum_.receives += c.withheld_calls(1) - receives;
  }
  io.head = sheet_.head();
  io.tail = sheet_.tail();
}

}  // namespace tailcap::redact::wire
