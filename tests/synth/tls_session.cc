#include "tests/synth/tls_session.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tailcap::synth {

using std::chrono::microseconds;

std::string tls_record(std::size_t plain, std::size_t overhead, std::uint8_t type) {
  const std::size_t length = plain + overhead;
  std::string bytes = {static_cast<char>(type), 3, 3, static_cast<char>(length >> 8), static_cast<char>(length)};
  bytes.append(length, '\xe7');
  return bytes;
}

std::string tls_records(std::size_t plain, std::size_t overhead) {
  std::string bytes;
  for (; plain > 16384; plain -= 16384) bytes += tls_record(16384, overhead);
  return bytes + tls_record(plain, overhead);
}

TlsSession::TlsSession(Scenario& scenario, formats::TlsLibrary library, formats::TlsSessionId id)
    : scenario_(scenario), library_(library), id_(id != 0 ? id : formats::kTlsSessionBit | scenario.next_socket()) {}

TlsSession& TlsSession::step(Duration at, Thread thread, formats::TlsStepKind kind, std::int32_t code) {
  scenario_.add(at, thread, formats::TlsStep{id_, library_, kind, code});
  return *this;
}

TlsSession& TlsSession::io(Duration began, Duration at, Thread thread, formats::Direction direction,
                           std::string_view plain) {
  formats::TlsIo io;
  io.session = id_;
  io.direction = direction;
  io.payload = formats::Payload::captured;
  io.missed = std::exchange(missed_, std::uint16_t{0});
  io.length = static_cast<std::uint32_t>(plain.size());
  io.position = moved_[static_cast<std::size_t>(direction)];
  io.began = kStart + began;
  moved_[static_cast<std::size_t>(direction)] += io.length;
  std::tie(io.head, io.tail) = scenario_.cut(plain);
  scenario_.add(at, thread, io);
  return *this;
}

TlsSession& TlsSession::lose(formats::Direction direction, std::uint64_t n) {
  moved_[static_cast<std::size_t>(direction)] += n;
  ++missed_;
  return *this;
}

TlsSession& TlsSession::read_from(Endpoint& socket, Duration arrived, Duration began, std::string_view plain) {
  const std::string record = tls_records(plain.size());
  socket.arrive(arrived, static_cast<std::uint32_t>(record.size()));
  socket.read(began + microseconds{1}, std::string_view(record).substr(0, 5));
  socket.read(began + microseconds{2}, std::string_view(record).substr(5));
  return read(began, began + microseconds{3}, socket.thread(), plain);
}

TlsSession& TlsSession::write_to(Endpoint& socket, Duration began, std::string_view plain) {
  socket.send(began + microseconds{2}, tls_records(plain.size()));
  return write(began, began + microseconds{3}, socket.thread(), plain);
}

}  // namespace tailcap::synth
