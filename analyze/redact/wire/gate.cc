#include "analyze/redact/wire/gate.h"

#include <algorithm>

#include "analyze/redact/wire/dns.h"
#include "formats/event.h"

namespace tailcap::redact::wire {
namespace {

// Bytes that say something: neither asterisks nor those that the recorder wrote for bytes it did not understand.
bool speaks(std::string_view bytes) {
  return std::any_of(bytes.begin(), bytes.end(), [](char c) { return c != '*' && c != '?'; });
}

}  // namespace

void RedactionGate::begin(const formats::SocketInfo& info) {
  using formats::Origin;
  using formats::TcpState;
  if (info.origin == Origin::listener) return static_cast<void>(listening_.insert(info.local.port));
  if (info.type == formats::SocketType::datagram) {
    if (info.family == formats::Family::inet || info.family == formats::Family::inet6)
      connections_.of(info.socket).connection.names();
    return;
  }
  Entry& e = connections_.of(info.socket);
  describe(e.connection, info);
  if (info.state == TcpState::syn_sent || info.state == TcpState::syn_recv || info.state == TcpState::new_syn_recv)
    return;
  // A capture describes a socket again in every keyframe, then in the middle of its stream: the first time counts.
  if (e.begun) return;
  e.begun = true;
  const bool unix_begins = info.family == formats::Family::unix_domain && info.origin != Origin::existed;
  const bool begins = info.origin == Origin::connected || info.origin == Origin::accepted || unix_begins;
  if (begins || info.origin == Origin::existed)
    e.connection.begin(info.next_out, info.next_in, begins && !connections_.forgot());
}

// Who listened at a connection's own port accepted it, also before the recording began.
void RedactionGate::describe(formats::mask::Connection& connection, const formats::SocketInfo& info) {
  using formats::Origin;
  connection.described();
  if (info.origin == Origin::connected || info.origin == Origin::accepted)
    connection.requests_move(info.origin == Origin::accepted);
  else if (info.origin == Origin::existed && info.local.port != 0 && listening_.contains(info.local.port))
    connection.requests_move(1);
}

void RedactionGate::begin(const formats::TlsStep& step) {
  if (step.step == formats::TlsStepKind::handshake)
    connections_.of(step.session).connection.begin(0, 0, !connections_.forgot());
  if (step.step == formats::TlsStepKind::freed) connections_.forget_later(step.session);
}

void RedactionGate::take(formats::Event& event) {
  if (auto* io = std::get_if<formats::Io>(&event.body)) {
    if (io->payload == formats::Payload::added) {
      connections_.of(io->socket)
          .connection.added(static_cast<unsigned>(io->direction), static_cast<std::uint32_t>(io->position), io->length);
      io->head = io->tail = {};
      return;
    }
    if (io->length > 0) return apply_to(io->socket, *io);
    io->head = io->tail = {};
  } else if (auto* plain = std::get_if<formats::TlsIo>(&event.body)) {
    if (plain->length == 0) {
      plain->head = plain->tail = {};
      return;
    }
    connections_.of(plain->session).connection.described();  // sessions older than the recording have no other
    apply_to(plain->session, *plain);
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    begin(*info);
  } else if (const auto* step = std::get_if<formats::TlsStep>(&event.body)) {
    begin(*step);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    connections_.changed(change->socket, change->to);
  }
}

template <class AnyIo>
void RedactionGate::apply_to(std::uint64_t id, AnyIo& io) {
  Entry& e = connections_.of(id);
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
  formats::mask::Connection& c = e.connection;
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
