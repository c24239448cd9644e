#include "ground/tls_record.h"

#include <cassert>

namespace tailcap::ground::tls {
namespace {

std::uint16_t number(std::string_view b, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(b[at]) << 8 | static_cast<unsigned char>(b[at + 1]));
}

}  // namespace

RecordHeader parse_record_header(std::string_view b) {
  assert(b.size() >= kRecordHeader);
  return {static_cast<ContentType>(static_cast<unsigned char>(b[0])), number(b, 1), number(b, 3)};
}

bool plausible(std::string_view b) {
  if (b.size() < kRecordHeader) return false;
  const RecordHeader h = parse_record_header(b);
  return h.type >= ContentType::change_cipher_spec && h.type <= ContentType::heartbeat && h.version >= 0x0300 &&
         h.version <= 0x0304 && h.length <= kMaxRecord;
}

}  // namespace tailcap::ground::tls
