#include "tests/synth/endpoint.h"

#include <arpa/inet.h>

#include <cassert>
#include <cstring>
#include <tuple>
#include <utility>

#include "tests/synth/scenario.h"

namespace tailcap::synth {

using formats::Direction;
using formats::Payload;
using formats::TcpState;

formats::Address address(const std::string& text, formats::Family family) {
  formats::Address a;
  const auto colon = text.rfind(':');
  if (family == formats::Family::unix_domain || colon == text.npos) return a;
  std::uint8_t v4[4] = {};
  [[maybe_unused]] const int ok = inet_pton(AF_INET, text.substr(0, colon).c_str(), v4);
  assert(ok == 1);
  a.port = static_cast<std::uint16_t>(std::stoul(text.substr(colon + 1)));
  if (family == formats::Family::inet6) {
    constexpr std::uint8_t prefix[12] = {0x20, 0x01, 0x0d, 0xb8};
    std::memcpy(a.bytes.data(), prefix, sizeof prefix);
    std::memcpy(a.bytes.data() + 12, v4, sizeof v4);
  } else {
    std::memcpy(a.bytes.data(), v4, sizeof v4);
  }
  return a;
}

Endpoint::Endpoint(Scenario& scenario, formats::Duration at, const Opening& opening)
    : scenario_(scenario),
      opening_(opening),
      socket_(scenario.next_socket()),
      thread_(opening.thread),
      state_(opening.family == formats::Family::unix_domain ? TcpState::none : TcpState::established) {
  if (opening_.described) scenario_.add(at, {}, info());
}

formats::SocketInfo Endpoint::info() const {
  formats::SocketInfo s;
  s.socket = socket_;
  s.family = opening_.family;
  s.type = opening_.type;
  s.origin = opening_.origin;
  s.state = state_;
  s.local = address(opening_.local, opening_.family);
  s.remote = address(opening_.remote, opening_.family);
  s.inode = opening_.inode;
  s.peer_inode = opening_.peer_inode;
  if (tcp()) {
    s.next_out = static_cast<std::uint32_t>(position(Direction::out, sent_));
    s.next_in = static_cast<std::uint32_t>(position(Direction::in, read_));
    s.net_namespace = opening_.net_namespace;
  } else {
    s.path = scenario_.own(opening_.path);
  }
  return s;
}

std::uint64_t Endpoint::position(Direction direction, std::uint64_t offset) const {
  if (!tcp()) return offset;
  return static_cast<std::uint32_t>((direction == Direction::out ? opening_.out : opening_.in) + offset);
}

std::uint16_t Endpoint::take_missed() { return std::exchange(missed_, std::uint16_t{0}); }

void Endpoint::io(formats::Duration at, Direction direction, std::string_view bytes, std::uint32_t length,
                  Payload payload) {
  formats::Io io;
  io.socket = socket_;
  io.direction = direction;
  io.payload = payload;
  io.syscall = direction == Direction::out ? 44 : 45;
  io.missed = take_missed();
  io.length = length;
  std::uint64_t& moved = direction == Direction::out ? sent_ : read_;
  io.position = position(direction, moved);
  moved += length;
  if (payload == Payload::captured) std::tie(io.head, io.tail) = scenario_.cut(bytes);
  scenario_.add(at, thread_, io, goroutine_);
}

Endpoint& Endpoint::arrive(formats::Duration at, std::uint32_t n, std::uint32_t skip) {
  arrive_at(at, arrived_ + skip, n);
  if (skip == 0) arrived_ += n;
  return *this;
}

Endpoint& Endpoint::arrive_at(formats::Duration at, std::uint64_t offset, std::uint32_t n) {
  if (!tcp()) return *this;
  formats::Arrival a;
  a.socket = socket_;
  a.position = static_cast<std::uint32_t>(position(Direction::in, offset));
  a.length = n;
  a.missed = take_missed();
  scenario_.add(at, {}, a);
  return *this;
}

Endpoint& Endpoint::read(formats::Duration at, std::string_view bytes) {
  io(at, Direction::in, bytes, static_cast<std::uint32_t>(bytes.size()), Payload::captured);
  return *this;
}

Endpoint& Endpoint::receive(formats::Duration arrived, formats::Duration read_at, std::string_view bytes) {
  arrive(arrived, static_cast<std::uint32_t>(bytes.size()));
  return read(read_at, bytes);
}

Endpoint& Endpoint::send(formats::Duration at, std::string_view bytes) {
  io(at, Direction::out, bytes, static_cast<std::uint32_t>(bytes.size()), Payload::captured);
  return *this;
}

Endpoint& Endpoint::send_file(formats::Duration at, std::uint32_t n) {
  io(at, Direction::out, {}, n, Payload::no_buffer);
  return *this;
}

Endpoint& Endpoint::read_unseen(formats::Duration at, std::uint32_t n) {
  io(at, Direction::in, {}, n, Payload::no_buffer);
  return *this;
}

Endpoint& Endpoint::add_to_send(formats::Duration at, std::uint32_t n) {
  formats::Io io;
  io.socket = socket_;
  io.payload = formats::Payload::added;
  io.continued = true;
  io.syscall = 0xffff;
  io.length = n;
  io.position = position(formats::Direction::out, sent_);
  sent_ += n;
  scenario_.add(at, thread_, io, goroutine_);
  return *this;
}

Endpoint& Endpoint::lose_send(std::uint64_t n) {
  sent_ += n;
  ++missed_;
  return *this;
}

Endpoint& Endpoint::lose_read(std::uint64_t n) {
  read_ += n;
  ++missed_;
  return *this;
}

Endpoint& Endpoint::lose_arrival(std::uint32_t n) {
  arrived_ += n;
  ++missed_;
  return *this;
}

Endpoint& Endpoint::retransmit(formats::Duration at, std::uint32_t n) {
  scenario_.add(at, {},
                formats::Retransmit{socket_, static_cast<std::uint32_t>(position(Direction::out, sent_ - n)), n});
  return *this;
}

Endpoint& Endpoint::state(formats::Duration at, TcpState from, TcpState to, int error) {
  scenario_.add(at, {}, formats::StateChange{socket_, from, to, false, error});
  state_ = to;
  return *this;
}

Endpoint& Endpoint::fin_arrives(formats::Duration at) {
  if (!tcp()) return *this;
  return state(at, state_, state_ == TcpState::established ? TcpState::close_wait : TcpState::close);
}

Endpoint& Endpoint::eof(formats::Duration at) {
  formats::Io io;
  io.socket = socket_;
  io.direction = Direction::in;
  io.syscall = 45;
  io.missed = take_missed();
  io.position = position(Direction::in, read_ + (tcp() ? 1 : 0));  // the FIN counts
  scenario_.add(at, thread_, io, goroutine_);
  return *this;
}

Endpoint& Endpoint::shut_down(formats::Duration at) {
  if (!tcp()) return *this;
  return state(at, state_, state_ == TcpState::close_wait ? TcpState::last_ack : TcpState::fin_wait1);
}

Endpoint& Endpoint::close(formats::Duration at, int error) { return state(at, state_, TcpState::close, error); }

Endpoint& Endpoint::reset(formats::Duration at, Direction direction) {
  scenario_.add(at, {}, formats::Reset{socket_, direction});
  return *this;
}

Endpoint& Endpoint::fail(formats::Duration at, Direction direction, int error) {
  formats::Io io;
  io.socket = socket_;
  io.direction = direction;
  io.error = error;
  io.missed = take_missed();
  io.position = position(direction, direction == Direction::out ? sent_ : read_);
  scenario_.add(at, thread_, io, goroutine_);
  return *this;
}

}  // namespace tailcap::synth
