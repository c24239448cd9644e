// The key schedules of TLS 1.2 (RFC 5246, 6.3) and TLS 1.3 (RFC 8446, 7.1), as far as a reader of a connection needs
// them: from what OpenSSL derives its keys from to the keys of one direction.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "capture/decrypt/secret.h"

namespace tailcap::capture::decrypt {

enum class Algorithm : std::uint8_t { aes_128_gcm, aes_256_gcm, chacha20_poly1305 };

// A cipher suite whose records can be read one by one.
struct Suite {
  Algorithm algorithm = Algorithm::aes_128_gcm;
  bool sha384 = false;
  bool tls13 = false;
  std::size_t key_size() const { return algorithm == Algorithm::aes_128_gcm ? 16 : 32; }
  std::size_t hash_size() const { return sha384 ? 48 : 32; }
  // Bytes that a record has more than its plaintext, its header included. TLS 1.3: without padding.
  std::size_t overhead() const { return 5 + (tls13 ? 17 : algorithm == Algorithm::chacha20_poly1305 ? 16 : 24); }
};

// number: as in a server's hello. Nothing: its records cannot be read.
std::optional<Suite> suite_of(std::uint16_t number);

struct Keys {
  Secret key, iv;  // iv: 12 bytes; 4 of GCM in TLS 1.2
};

// All of these return empty secrets where libcrypto fails.
std::string hash(bool sha384, std::string_view bytes);
Secret expand_label(const Suite& suite, const Secret& secret, std::string_view label, std::string_view context,
                    std::size_t size);
// The master secret of a handshake secret.
Secret master_of(const Suite& suite, const Secret& handshake);
Keys traffic_keys(const Suite& suite, const Secret& traffic);
// randoms: the server's, then the client's.
Keys expanded_keys(const Suite& suite, const Secret& master, std::string_view randoms, bool of_client);

}  // namespace tailcap::capture::decrypt
