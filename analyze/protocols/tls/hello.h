// The two messages of a TLS handshake that are never encrypted: ClientHello and ServerHello, RFC 8446 and RFC 5246.
//
// Bytes that end early are no error: what could be read is there, and `whole` is false. Nothing beyond the bytes is
// looked at, whatever lengths say.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::protocols::tls {

struct ClientHello {
  bool whole = false;
  std::uint16_t legacy_version = 0;
  std::uint16_t highest_version = 0;  // of supported_versions, or legacy_version; GREASE left out
  std::string session_id;
  std::string server_name;  // printable ASCII, else empty
  std::string alpn;         // printable, joined by commas; GREASE left out
  bool pre_shared_key = false, early_data = false, session_ticket = false;  // session_ticket: one that is not empty
};

struct ServerHello {
  bool whole = false;
  bool retry = false;         // HelloRetryRequest
  std::uint16_t version = 0;  // supported_versions where it is there; 0: the bytes ended before it was certain
  std::uint16_t cipher = 0;
  std::string session_id;
  std::string alpn;
  bool pre_shared_key = false;
};

// body: behind the four bytes of the message's header.
ClientHello parse_client_hello(std::string_view body);
ServerHello parse_server_hello(std::string_view body);

}  // namespace tailcap::protocols::tls
