#include "analyze/model/wire/tls.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "ground/text.h"

namespace tailcap::model {
namespace {

struct Named {
  std::uint16_t number;
  std::string_view name;
};

// Cipher suites in use: RFC 8446, RFC 5289, RFC 5246, RFC 7905.
constexpr Named kCiphers[] = {
    {0x000a, "TLS_RSA_WITH_3DES_EDE_CBC_SHA"},
    {0x002f, "TLS_RSA_WITH_AES_128_CBC_SHA"},
    {0x0033, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA"},
    {0x0035, "TLS_RSA_WITH_AES_256_CBC_SHA"},
    {0x0039, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA"},
    {0x003c, "TLS_RSA_WITH_AES_128_CBC_SHA256"},
    {0x003d, "TLS_RSA_WITH_AES_256_CBC_SHA256"},
    {0x0067, "TLS_DHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0x006b, "TLS_DHE_RSA_WITH_AES_256_CBC_SHA256"},
    {0x009c, "TLS_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009d, "TLS_RSA_WITH_AES_256_GCM_SHA384"},
    {0x009e, "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0x009f, "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0x1301, "TLS_AES_128_GCM_SHA256"},
    {0x1302, "TLS_AES_256_GCM_SHA384"},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256"},
    {0x1304, "TLS_AES_128_CCM_SHA256"},
    {0x1305, "TLS_AES_128_CCM_8_SHA256"},
    {0xc009, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA"},
    {0xc00a, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA"},
    {0xc013, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"},
    {0xc014, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA"},
    {0xc023, "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"},
    {0xc024, "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384"},
    {0xc027, "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256"},
    {0xc028, "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"},
    {0xc02b, "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"},
    {0xc02c, "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"},
    {0xc02f, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
    {0xc030, "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"},
    {0xcca8, "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xcca9, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"},
    {0xccaa, "TLS_DHE_RSA_WITH_CHACHA20_POLY1305_SHA256"},
};

constexpr Named kAlerts[] = {
    {0, "close notify"},
    {10, "unexpected message"},
    {20, "bad record MAC"},
    {21, "decryption failed"},
    {22, "record overflow"},
    {30, "decompression failure"},
    {40, "handshake failure"},
    {41, "no certificate"},
    {42, "bad certificate"},
    {43, "unsupported certificate"},
    {44, "certificate revoked"},
    {45, "certificate expired"},
    {46, "certificate unknown"},
    {47, "illegal parameter"},
    {48, "unknown CA"},
    {49, "access denied"},
    {50, "decode error"},
    {51, "decrypt error"},
    {70, "protocol version"},
    {71, "insufficient security"},
    {80, "internal error"},
    {86, "inappropriate fallback"},
    {90, "user canceled"},
    {100, "no renegotiation"},
    {109, "missing extension"},
    {110, "unsupported extension"},
    {112, "unrecognized name"},
    {113, "bad certificate status response"},
    {115, "unknown PSK identity"},
    {116, "certificate required"},
    {120, "no application protocol"},
};

template <std::size_t N>
constexpr std::string_view find(const Named (&table)[N], std::uint16_t number) {
  const auto at = std::find_if(std::begin(table), std::end(table), [&](const Named& n) { return n.number == number; });
  return at == std::end(table) ? std::string_view{} : at->name;
}

}  // namespace

std::string_view name_of(TlsOutcome outcome) {
  constexpr std::string_view kNames[] = {"unknown", "done", "failed", "cut_off"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::string tls_version(std::uint16_t version) {
  switch (version) {
    case 0:
      return {};
    case 0x0300:
      return "SSL 3.0";
    case 0x0301:
      return "TLS 1.0";
    case 0x0302:
      return "TLS 1.1";
    case 0x0303:
      return "TLS 1.2";
    case 0x0304:
      return "TLS 1.3";
    default:
      return "0x" + ground::hex_text(version, 4);
  }
}

std::string tls_cipher(std::uint16_t cipher) {
  if (cipher == 0) return {};
  const std::string_view name = find(kCiphers, cipher);
  return name.empty() ? "0x" + ground::hex_text(cipher, 4) : std::string(name);
}

std::string_view tls_alert(std::uint8_t description) { return find(kAlerts, description); }

std::string failure_text(const TlsFacts& f) {
  const auto side = [&](Direction d) { return std::string(d == f.client ? "client" : "server"); };
  switch (f.failure) {
    case TlsFailure::none:
      return {};
    case TlsFailure::alert: {
      if (!f.alert) return "an alert";
      const std::string number = std::to_string(f.alert->description);
      const std::string_view name = tls_alert(f.alert->description);
      return (name.empty() ? "alert " + number : std::string(name) + " (alert " + number + ")") + " sent by the " +
             side(f.alert->by);
    }
    case TlsFailure::encrypted_alert:
      return "an encrypted alert" + (f.alert ? " sent by the " + side(f.alert->by) : std::string());
    case TlsFailure::not_tls:
      return "the answer is not TLS";
    case TlsFailure::closed:
      return f.ended_by ? "closed by the " + side(*f.ended_by) + " during the handshake"
                        : "closed during the handshake";
    case TlsFailure::reset:
      return f.ended_by ? "reset by the " + side(*f.ended_by) + " during the handshake" : "reset during the handshake";
    case TlsFailure::error:
      return "the connection failed during the handshake";
  }
  return {};
}

}  // namespace tailcap::model
