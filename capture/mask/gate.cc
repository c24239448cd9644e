#include "capture/mask/gate.h"

#include <algorithm>
#include <cassert>
#include <type_traits>

#include "formats/event.h"
#include "formats/mask/names.h"

namespace tailcap::capture::mask {

void Gate::begin(const formats::SocketInfo& info) {
  using formats::Origin;
  if (keep_.everything || info.origin == Origin::listener) return;
  if (info.type == formats::SocketType::datagram) {
    // Only name server traffic is recorded.
    if (info.family == formats::Family::inet || info.family == formats::Family::inet6)
      connections_.of(info.socket).names();
    return;
  }
  // A UNIX socket made by a target is described at its first use; a TCP one of unknown origin may be in mid-stream.
  const bool unix_begins = info.family == formats::Family::unix_domain && info.origin != Origin::existed;
  const bool begins = info.origin == Origin::connected || info.origin == Origin::accepted || unix_begins;
  formats::mask::Connection& c = connections_.of(info.socket);
  describe(c, info);
  if (!begins && info.origin != Origin::existed) return;
  // A connecting socket has no positions yet. It is described again when it is established.
  using formats::TcpState;
  if (info.state == TcpState::syn_sent || info.state == TcpState::syn_recv || info.state == TcpState::new_syn_recv)
    return;
  c.begin(info.next_out, info.next_in, begins);
}

// Who listened at a connection's own port accepted it, also before the recording began.
void Gate::describe(formats::mask::Connection& connection, const formats::SocketInfo& info) const {
  using formats::Origin;
  connection.described();
  if (info.origin == Origin::connected || info.origin == Origin::accepted)
    connection.requests_move(info.origin == Origin::accepted);
  else if (info.origin == Origin::existed && info.local.port != 0 && listening_.contains(info.local.port))
    connection.requests_move(1);
}

void Gate::listed(const std::vector<formats::SocketInfo>& sockets) {
  undescribed_ = false;
  listening_.clear();
  for (const auto& info : sockets)
    if (info.origin == formats::Origin::listener) listening_.insert(info.local.port);
  for (const auto& info : sockets) {
    if (info.origin == formats::Origin::existed)
      begin(info);
    else if (auto* const connection = connections_.find(info.socket))
      describe(*connection, info);
  }
}

void Gate::begin(const formats::TlsStep& step) {
  if (step.step == formats::TlsStepKind::handshake) connections_.of(step.session).begin(0, 0, true);
  if (step.step == formats::TlsStepKind::freed) connections_.forget_later(step.session);
}

void Gate::take(formats::Event& event) {
  if (keep_.everything) return;
  if (auto* io = std::get_if<formats::Io>(&event.body)) {
    if (io->payload == formats::Payload::added)
      connections_.of(io->socket)
          .added(static_cast<unsigned>(io->direction), static_cast<std::uint32_t>(io->position), io->length);
    else if (io->length > 0)
      apply_to(io->socket, *io);
  } else if (auto* plain = std::get_if<formats::TlsIo>(&event.body)) {
    if (plain->length == 0) return;
    connections_.of(plain->session).described();  // sessions older than the recording have no other description
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
void Gate::apply_to(std::uint64_t id, AnyIo& io) {
  formats::mask::Connection& c = connections_.of(id);
  if (c.is_names()) {
    datagram_ = io.head;
    const bool sound = formats::mask::mask_names(datagram_, {});
    io.head = sound ? std::string_view(datagram_) : std::string_view();
    io.tail = {};
    const bool foreign = !sound && c.no_names();
    sum_.streams += foreign;
    sum_.foreign += foreign;
    return;
  }
  assert(io.head.size() + io.tail.size() <= io.length);
  sheet_.begin(io.head, io.tail);
  undescribed_ = undescribed_ || !c.is_described();
  const bool used = c.used(), foreign = c.foreign(), doubt = c.in_doubt(), encrypted = c.encrypted();
  const std::uint64_t called = c.requests(0), served = c.requests(1), server_errors = c.server_errors(0);
  const std::uint64_t withheld = c.withheld(), sends = c.withheld_calls(0), receives = c.withheld_calls(1);
  c.moved(static_cast<unsigned>(io.direction), {static_cast<std::uint32_t>(io.position), io.length, io.head, io.tail},
          sheet_, list_);
  sum_.streams += !used;
  if constexpr (std::is_same_v<AnyIo, formats::TlsIo>)
    plaintexts_ += !used;
  else
    encrypted_ += c.encrypted() && !encrypted;
  sum_.foreign += c.foreign() && !foreign;
  sum_.doubtful += c.in_doubt() && !doubt;
  sum_.withheld += c.withheld() - withheld;
  sum_.sends += c.withheld_calls(0) - sends;
  sum_.receives += c.withheld_calls(1) - receives;
  // A connection that loses its place may begin its count again.
  passed_.called += std::max(c.requests(0), called) - called;
  passed_.served += std::max(c.requests(1), served) - served;
  passed_.server_errors += std::max(c.server_errors(0), server_errors) - server_errors;
  passed_.http2 = passed_.http2 || c.is_http2();
  io.head = sheet_.head();
  io.tail = sheet_.tail();
  c.account(waiting_, id);
  for (auto over = waiting_.over(); over; over = waiting_.over()) {
    formats::mask::Connection* const holder = connections_.find(*over);
    const std::size_t before = waiting_.total();
    if (holder) holder->let_go();
    if (holder) holder->account(waiting_, *over);
    assert(waiting_.total() < before);
    if (waiting_.total() >= before) break;  // never without end
  }
}

}  // namespace tailcap::capture::mask
