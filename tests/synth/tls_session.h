// A TLS session as the recorder reports it, next to the endpoint that carries it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tests/synth/scenario.h"

namespace tailcap::synth {

// Bytes of one record, header included: `plain` bytes of plaintext and what the cipher adds (TLS 1.3: 17).
std::string tls_record(std::size_t plain, std::size_t overhead = 17, std::uint8_t type = 23);
// The records that a library makes from one write.
std::string tls_records(std::size_t plain, std::size_t overhead = 17);

class TlsSession {
 public:
  // id 0: the next one.
  explicit TlsSession(Scenario& scenario, formats::TlsLibrary library = formats::TlsLibrary::openssl,
                      formats::TlsSessionId id = 0);

  TlsSession& step(Duration at, Thread thread, formats::TlsStepKind kind, std::int32_t code = 0);
  TlsSession& handshake(Duration at, Thread thread) { return step(at, thread, formats::TlsStepKind::handshake); }
  TlsSession& freed(Duration at, Thread thread) { return step(at, thread, formats::TlsStepKind::freed); }
  TlsSession& read(Duration began, Duration at, Thread thread, std::string_view plain) {
    return io(began, at, thread, formats::Direction::in, plain);
  }
  TlsSession& write(Duration began, Duration at, Thread thread, std::string_view plain) {
    return io(began, at, thread, formats::Direction::out, plain);
  }
  // Moved, but the event was lost; the next event says so.
  TlsSession& lose(formats::Direction direction, std::uint64_t n);

  // The whole call with its socket calls inside: header and rest in two reads, as OpenSSL does.
  TlsSession& read_from(Endpoint& socket, Duration arrived, Duration began, std::string_view plain);
  TlsSession& write_to(Endpoint& socket, Duration began, std::string_view plain);

  formats::TlsSessionId id() const { return id_; }

 private:
  TlsSession& io(Duration began, Duration at, Thread thread, formats::Direction direction, std::string_view plain);

  Scenario& scenario_;
  formats::TlsLibrary library_;
  formats::TlsSessionId id_;
  std::uint64_t moved_[2] = {0, 0};
  std::uint16_t missed_ = 0;
};

}  // namespace tailcap::synth
