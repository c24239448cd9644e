// One direction of a TLS connection as it is on the wire: record headers are kept, of hellos what the rules keep, and
// what is too short to be secret.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "formats/mask/rules.h"
#include "formats/sheet.h"
#include "ground/tls_record.h"

namespace tailcap::formats::mask {

class TlsRecords {
 public:
  // late: a record begins here, but others came before it.
  explicit TlsRecords(bool late = false) : resumed_(late) {}
  void feed(std::string_view bytes, std::size_t base, bool begins_io, Sheet& sheet, const Rules& rules);
  void skip(std::uint64_t n);
  void lose();
  bool lost() const { return lost_; }
  bool take_lost() { return std::exchange(was_lost_, false) || lost_; }
  bool proved() const { return proved_; }

 private:
  ground::tls::ContentType type() const { return static_cast<ground::tls::ContentType>(header_[0]); }
  void begin_record();
  void record_done();
  void handshake(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);

  bool lost_ = false, was_lost_ = false, proved_ = false;
  bool resumed_ = false;    // what a handshake record begins with is not known
  bool encrypted_ = false;  // ChangeCipherSpec went by
  unsigned char header_[ground::tls::kRecordHeader] = {};
  std::size_t have_ = 0;
  std::uint32_t left_ = 0, length_ = 0;
  bool in_record_ = false;
  unsigned message_have_ = 0;  // of a handshake message's header
  std::uint32_t message_left_ = 0;
  std::uint8_t message_type_ = 0;
  bool message_begins_ = false;  // nothing of it was seen but its header
  std::string hello_;            // while it is rewritten
};

}  // namespace tailcap::formats::mask
