// Handmade TLS records: what a client and a server send, as far as it is visible on the wire.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::wire {

inline std::string be(std::uint64_t n, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(n >> (8 * i));
  return out;
}
inline std::string sized(std::string_view bytes, int length_bytes) {
  return be(bytes.size(), length_bytes) + std::string(bytes);
}

inline std::string record(int type, std::string_view payload, int version = 0x0303) {
  return be(static_cast<std::uint64_t>(type), 1) + be(static_cast<std::uint64_t>(version), 2) + sized(payload, 2);
}
inline std::string change_cipher() { return record(20, "\x01"); }
inline std::string alert(int level, int description) {
  return record(21, be(static_cast<std::uint64_t>(level), 1) + be(static_cast<std::uint64_t>(description), 1));
}
inline std::string encrypted(std::size_t length) { return record(23, std::string(length, 'e')); }
inline std::string message(int type, std::string_view body) {
  return be(static_cast<std::uint64_t>(type), 1) + sized(body, 3);
}
inline std::string extension(int type, std::string_view data) {
  return be(static_cast<std::uint64_t>(type), 2) + sized(data, 2);
}

struct Hello {
  std::string session_id = std::string(32, 's');
  std::string extensions;
  int version = 0x0303;
  int cipher = 0xc02f;
  std::string random = std::string(32, 'r');
};

inline std::string name_extension(std::string_view name) {
  return extension(0, sized(std::string(1, '\0') + sized(name, 2), 2));
}
inline std::string alpn_extension(std::string_view first, std::string_view second = {}) {
  return extension(16, sized(sized(first, 1) + (second.empty() ? std::string() : sized(second, 1)), 2));
}
inline std::string versions_extension() {
  return extension(43, sized(be(0x3a3a, 2) + be(0x0304, 2) + be(0x0303, 2), 1));
}
inline std::string chosen_version_extension() { return extension(43, be(0x0304, 2)); }

inline std::string client_hello(const Hello& h = {}) {
  return message(1, be(static_cast<std::uint64_t>(h.version), 2) + h.random + sized(h.session_id, 1) +
                        sized(be(0x1301, 2) + be(0xc02f, 2), 2) + sized(std::string(1, '\0'), 1) +
                        sized(h.extensions, 2));
}
inline std::string server_hello(const Hello& h = {}) {
  return message(2, be(static_cast<std::uint64_t>(h.version), 2) + h.random + sized(h.session_id, 1) +
                        be(static_cast<std::uint64_t>(h.cipher), 2) + std::string(1, '\0') + sized(h.extensions, 2));
}
inline const std::string kRetryRandom =
    "\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2"
    "\xc8\xa8\x33\x9c";

}  // namespace tailcap::wire
