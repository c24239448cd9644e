// The five bytes in front of every TLS record (RFC 8446, section 5.1; RFC 5246, section 6.2).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailcap::ground::tls {

enum class ContentType : std::uint8_t {
  change_cipher_spec = 20,
  alert = 21,
  handshake = 22,
  application_data = 23,
  heartbeat = 24,  // RFC 6520
};

inline constexpr std::size_t kRecordHeader = 5;
inline constexpr std::uint32_t kMaxRecord = 16384 + 2048;          // RFC 5246, 6.2.3; TLS 1.3 allows less
inline constexpr std::uint8_t kClientHello = 1, kServerHello = 2;  // types of handshake messages

struct RecordHeader {
  ContentType type = ContentType::handshake;
  std::uint16_t version = 0;
  std::uint16_t length = 0;
};

// bytes: at least kRecordHeader.
RecordHeader parse_record_header(std::string_view bytes);
// Whether this can be the header of a record of TLS 1.0 to 1.3, or SSL 3. Fewer than kRecordHeader bytes cannot.
bool plausible(std::string_view bytes);

}  // namespace tailcap::ground::tls
