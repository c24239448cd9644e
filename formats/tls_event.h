// Events of TLS libraries.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::formats {

// The recorder's number for a TLS session: an SSL object, a gnutls_session_t or a Go tls.Conn, from its first use to
// its end. Unique in a capture, and distinguished from every socket cookie by kTlsSessionBit.
using TlsSessionId = std::uint64_t;
inline constexpr TlsSessionId kTlsSessionBit = std::uint64_t{1} << 62;

enum class TlsLibrary : std::uint8_t { unknown = 0, openssl = 1, gnutls = 2, go = 3 };

// Plaintext that a TLS library accepted (out) or returned (in): a call that moved bytes, from `began` to Event::time,
// on Event::thread. The event does not name the socket that carries the session: the socket's events inside the call
// do. length 0 with Direction::in means that there is no more: the peer closed, in order unless a TlsStep failed came
// before.
//
// position counts the plaintext bytes moved in this direction since the session was first seen.
struct TlsIo {
  TlsSessionId session = 0;
  Direction direction = Direction::out;
  Payload payload = Payload::off;
  bool continued = false;    // the same call as the TlsIo of this session and direction before
  std::uint16_t missed = 0;  // events of this session lost since the last one seen, saturating
  std::uint32_t length = 0;  // bytes moved
  std::uint64_t position = 0;
  Time began = kNoTime;
  std::string_view head{}, tail{};  // as in Io
  bool operator==(const TlsIo&) const = default;
};

// Something else that happened to a TLS session.
enum class TlsStepKind : std::uint8_t {
  seen = 0,       // its first use that was seen: nothing is known of earlier ones
  handshake = 1,  // a handshake was begun or continued; may come several times
  failed = 2,     // the library reported an error; code is its reason
  shutdown = 3,   // this end announces that it will send no more
  freed = 4,      // the library freed it: nothing of this session follows
  unknown = 255
};
struct TlsStep {
  TlsSessionId session = 0;
  TlsLibrary library = TlsLibrary::unknown;
  TlsStepKind step = TlsStepKind::seen;
  std::int32_t code = 0;  // failed: OpenSSL's reason (1000 + n: the peer sent alert n), otherwise the alert sent
  bool operator==(const TlsStep&) const = default;
};

}  // namespace tailcap::formats
