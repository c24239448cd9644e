#include "capture/decrypt/handshake.h"

#include <algorithm>
#include <array>

namespace tailcap::capture::decrypt {

namespace {

constexpr std::size_t kHeader = 4, kRandomAt = 6, kRandom = 32;
constexpr std::size_t kMaxTranscript = 1u << 18;
constexpr std::uint16_t kSupportedVersions = 43, kVersion12 = 0x0303, kVersion13 = 0x0304;
constexpr std::uint16_t kCcm = 0x1304, kCcm8 = 0x1305;  // suites of TLS 1.3 with SHA-256 that are not read
// A server's hello with this random asks for another client's hello (RFC 8446, 4.1.3).
constexpr std::array<unsigned char, kRandom> kRetry = {0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
                                                       0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
                                                       0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

unsigned octet(std::string_view b, std::size_t at) { return at < b.size() ? static_cast<unsigned char>(b[at]) : 0u; }
std::uint16_t number(std::string_view b, std::size_t at) {
  return static_cast<std::uint16_t>(octet(b, at) << 8 | octet(b, at + 1));
}

}  // namespace

bool Messages::feed(std::string_view bytes, const Take& take) {
  bytes_ += bytes;
  std::size_t at = 0;
  while (bytes_.size() - at >= kHeader) {
    const std::string_view rest = std::string_view(bytes_).substr(at);
    const std::size_t size = kHeader + (octet(rest, 1) << 16 | octet(rest, 2) << 8 | octet(rest, 3));
    if (size > kMost) return false;
    if (rest.size() < size) break;
    take(static_cast<std::uint8_t>(rest[0]), rest.substr(0, size));
    at += size;
  }
  bytes_.erase(0, at);
  return true;
}

bool accepts_early_data(std::string_view message) {
  constexpr std::uint16_t kEarlyData = 42;
  for (std::size_t at = kHeader + 2; at + 4 <= message.size(); at += 4 + number(message, at + 2)) {
    if (number(message, at) == kEarlyData) return true;
  }
  return false;
}

void Hellos::client(std::string_view message) {
  if (message.size() < kRandomAt + kRandom) return;
  if (!retried_) transcript_.clear();
  retried_ = false;
  complete_ = false;
  suite_.reset();
  client_random_ = message.substr(kRandomAt, kRandom);
  if (transcript_.size() + message.size() <= kMaxTranscript) transcript_ += message;
}

void Hellos::server(std::string_view message) {
  // version, random, session id, suite, compression, extensions
  if (message.size() < kRandomAt + kRandom + 1 || client_random_.empty()) return;
  server_random_ = message.substr(kRandomAt, kRandom);
  std::size_t at = kRandomAt + kRandom;
  at += 1 + octet(message, at);
  const std::uint16_t cipher = number(message, at);
  const auto suite = suite_of(cipher);
  at += 3;
  const std::size_t end = std::min<std::size_t>(message.size(), at + 2 + number(message, at));
  at += 2;
  std::uint16_t version = number(message, kHeader);
  while (at + 4 <= end) {
    const std::size_t size = number(message, at + 2);
    if (number(message, at) == kSupportedVersions && size == 2) version = number(message, at + 4);
    at += 4 + size;
  }
  const bool sha384 = suite && suite->sha384;
  if (std::equal(kRetry.begin(), kRetry.end(), server_random_.begin(),
                 [](unsigned char a, char b) { return a == static_cast<unsigned char>(b); })) {
    if (!suite) return;
    const std::string first = decrypt::hash(sha384, transcript_);
    transcript_ = std::string("\xfe\0\0", 3) + static_cast<char>(first.size()) + first + std::string(message);
    retried_ = true;
    return;
  }
  complete_ = true;
  version13_ = version == kVersion13;
  if (version13_ && (suite || cipher == kCcm || cipher == kCcm8))
    hash_ = decrypt::hash(sha384, transcript_ + std::string(message));
  if (!suite || suite->tls13 != (version == kVersion13) || (!suite->tls13 && version != kVersion12)) return;
  suite_ = suite;
}

}  // namespace tailcap::capture::decrypt
