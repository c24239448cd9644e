// The borders of TLS records in one direction of a socket, as far as the captured bytes show them.
//
// Takes the moved bytes in the order of their events. After lost, cut or out-of-order bytes the borders are unknown
// until a piece begins with the header of a record again.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "formats/socket_event.h"

namespace tailcap::streams {

// RFC 8446, 5.2: 2^14 and 256; RFC 5246, 6.2.3: 2^14 and 2048.
inline constexpr std::uint32_t kMaxRecord = (1u << 14) + 2048;
inline constexpr std::uint32_t kRecordHeader = 5;
inline constexpr std::uint32_t kMaxPlainRecord = 1u << 14;

// A header of a record of any type that is in use.
bool looks_like_record(std::string_view bytes);

class RecordTracker {
 public:
  // Appends the lengths of the records of application data that end in this piece.
  void push(const formats::Io& io, std::vector<std::uint32_t>& records);
  // A header was found where one was expected.
  bool sure() const { return sure_; }

 private:
  void lose();

  bool synced_ = false, sure_ = false, application_ = false;
  std::uint32_t position_ = 0;  // of the byte expected next
  std::uint64_t left_ = 0;      // of the record, after its header
  std::uint32_t length_ = 0;
  std::uint8_t have_ = 0;  // bytes of the header seen, where it is not complete
  char header_[kRecordHeader] = {};
};

}  // namespace tailcap::streams
