// What TLS libraries are seen to do.
#pragma once

#include <cstdint>
#include <string_view>

#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::formats {

// The number that the recorder gave a TLS session: an SSL object, a gnutls_session_t or a Go tls.Conn, from its first
// use to its end. Unique in a capture; no socket's cookie, which the bit tells apart.
using TlsSessionId = std::uint64_t;
inline constexpr TlsSessionId kTlsSessionBit = std::uint64_t{1} << 62;

enum class TlsLibrary : std::uint8_t { unknown = 0, openssl = 1, gnutls = 2, go = 3 };

// Plaintext that a TLS library took (out) or handed over (in): a call that moved something, from `began` to
// Event::time, on Event::thread. Which socket carries the session is not said here: the socket's events inside the call
// tell. length 0 with Direction::in: there is no more; the peer closed, in order as far as no TlsStep failed has gone
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
  seen = 0,       // its first use that was seen: nothing is known of what was before
  handshake = 1,  // a handshake was begun or gone on with; may come several times
  failed = 2,     // the library reported an error; code is its reason
  shutdown = 3,   // this end says that it will send no more
  freed = 4,      // it is gone: nothing of this session follows
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
