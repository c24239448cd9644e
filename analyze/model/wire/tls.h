// Facts about a TLS connection that are known from its records alone: the handshake, and how it ended.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::model {

enum class TlsOutcome : std::uint8_t {
  unknown = 0,  // the evidence was lost or not captured
  done = 1,     // this end sent and read all that a handshake needs
  failed = 2,   // an alert, or the end of the connection, came first
  cut_off = 3,  // the recording ended first
};

// Why it failed. A connection that ends in the middle of a handshake always has one of the last four.
enum class TlsFailure : std::uint8_t {
  none = 0,
  alert = 1,            // one that could be read: TlsFacts::alert
  encrypted_alert = 2,  // TLS 1.3: there was one, its number cannot be seen
  not_tls = 3,          // the other end answered in something that is not TLS
  closed = 4,           // orderly (FIN), see ended_by
  reset = 5,
  error = 6,  // timed out, or the connection failed otherwise
};

struct TlsAlert {
  std::uint8_t level = 0, description = 0;  // RFC 8446, section 6
  Direction by = Direction::out;            // out: the recorded end sent it
  Time at = kNoTime;                        // sent, or read
};

// Empty or 0 where it was not seen or is not sent in the clear; in TLS 1.3 the chosen ALPN and everything about
// certificates is encrypted.
//
// The handshake, as this end saw it, from `began` to `done`:
//   began     client: the call that sent the first byte of its ClientHello returned. Server: that byte arrived (read,
//   where
//             its arrival was not seen).
//   answered  client: the first byte of the server's first record arrived (read, …). Server: the call that sent it
//   returned. done      TLS 1.2 and older: the later of both Finished was sent (returned) or read. TLS 1.3: the
//   client's Finished was
//             sent, or, at the server, read. It is encrypted and known by its length; done_exact says that its first
//             encrypted record had just that length. Otherwise (client certificates, early data, padding) done is the
//             first record that has it, or the first at all.
// A TLS 1.3 server that refuses the client's certificate says so after that: here such a handshake is done.
struct TlsFacts {
  Direction client = Direction::out;  // where the ClientHello went: out, the recorded end is the client
  bool began_before = false;          // records were found in the middle of a connection: no handshake was seen
  TlsOutcome outcome = TlsOutcome::unknown;
  TlsFailure failure = TlsFailure::none;
  std::string server_name;    // SNI
  std::string alpn_offered;   // joined by commas, in order
  std::string alpn;           // chosen; TLS 1.2 and older only
  std::uint16_t version = 0;  // 0x0304: TLS 1.3; 0: not known
  std::uint16_t highest_offered = 0;
  std::uint16_t cipher = 0;
  bool retried = false;            // HelloRetryRequest
  bool early_data = false;         // offered
  bool offers_resumption = false;  // the client sent a session id or a pre-shared key
  std::optional<bool> resumed;
  bool done_exact = true;
  Time began = kNoTime, answered = kNoTime, done = kNoTime;
  Thread thread;                      // who sent or read the ClientHello
  std::optional<TlsAlert> alert;      // the first fatal one before done; otherwise the first one
  std::optional<Direction> ended_by;  // failed by closing: in, the other end's FIN came first; out, this end's
  Taints taints = 0;
};

std::string_view name_of(TlsOutcome outcome);          // "done", …
std::string tls_version(std::uint16_t version);        // "TLS 1.3"; "0x7f1c" where it has no name; empty for 0
std::string tls_cipher(std::uint16_t cipher);          // "TLS_AES_128_GCM_SHA256"; "0xc0ff" …; empty for 0
std::string_view tls_alert(std::uint8_t description);  // "unknown CA"; empty where it has no name
// "unknown CA (alert 48) sent by the client", "closed by the server during the handshake"; empty unless it failed.
std::string failure_text(const TlsFacts& facts);

}  // namespace tailcap::model
