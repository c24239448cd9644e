#include "formats/mask/tls_records.h"

#include <algorithm>

namespace tailcap::formats::mask {

using namespace ground::tls;

namespace {

constexpr unsigned kMessageHeader = 4;

}  // namespace

void TlsRecords::lose() {
  lost_ = was_lost_ = true;
  have_ = 0;
  in_record_ = false;
}

void TlsRecords::skip(std::uint64_t n) {
  if (lost_ || n == 0) return;
  if (!in_record_ || n > left_) return lose();
  left_ -= static_cast<std::uint32_t>(n);
  if (type() == ContentType::handshake) resumed_ = true;  // where its messages begin is not known any more
  if (left_ == 0) record_done();
}

void TlsRecords::record_done() {
  in_record_ = false;
  have_ = 0;
  if (type() == ContentType::change_cipher_spec) encrypted_ = true;
}

void TlsRecords::begin_record() {
  in_record_ = true;
  left_ = length_ = static_cast<std::uint32_t>(header_[3]) << 8 | header_[4];
  proved_ = true;
  if (left_ == 0) record_done();
}

void TlsRecords::feed(std::string_view bytes, std::size_t base, bool begins_io, Sheet& sheet, const Rules& rules) {
  if (lost_) {
    if (!begins_io || !plausible(bytes)) return;
    lost_ = false;
    resumed_ = true;
  }
  for (std::size_t at = 0; at < bytes.size() && !lost_;) {
    if (!in_record_) {
      const std::size_t n = std::min(kRecordHeader - have_, bytes.size() - at);
      std::copy_n(bytes.data() + at, n, header_ + have_);
      have_ += n;
      if (have_ == kRecordHeader && !plausible({reinterpret_cast<const char*>(header_), kRecordHeader})) {
        sheet.hide(base + at, base + bytes.size());  // a reader sees that it is none
        return lose();
      }
      sheet.keep(base + at, base + at + n);
      at += n;
      if (have_ == kRecordHeader) begin_record();
      continue;
    }
    const auto n = std::min<std::size_t>(left_, bytes.size() - at);
    const std::string_view part = bytes.substr(at, n);
    if (type() == ContentType::handshake)
      handshake(part, base + at, sheet, rules);
    else if ((type() == ContentType::alert && length_ == 2) ||
             (type() == ContentType::change_cipher_spec && length_ == 1))
      sheet.keep(base + at, base + at + n);
    at += n;
    left_ -= static_cast<std::uint32_t>(n);
    if (left_ == 0) record_done();
  }
}

// Messages' headers are kept, and hellos. In TLS 1.3 a hello may follow ChangeCipherSpec, after a retry: what looks
// like one at the beginning of a record is one.
void TlsRecords::handshake(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules) {
  if (encrypted_ && left_ == length_) {
    message_have_ = 0;
    message_left_ = 0;
    const auto first = static_cast<unsigned char>(bytes[0]);
    resumed_ = !(first == kClientHello || first == kServerHello) || bytes.size() < kMessageHeader || bytes[1] != 0 ||
               ((static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[2])) << 8) |
                static_cast<unsigned char>(bytes[3])) +
                       kMessageHeader !=
                   length_;
  }
  if (resumed_) return;
  for (std::size_t at = 0; at < bytes.size();) {
    if (message_have_ < kMessageHeader) {
      const auto octet = static_cast<unsigned char>(bytes[at]);
      if (message_have_ == 0) {
        message_type_ = octet;
        message_left_ = 0;
      } else {
        message_left_ = message_left_ << 8 | octet;
      }
      sheet.keep(base + at, base + at + 1);
      at++;
      message_begins_ = true;
      if (++message_have_ == kMessageHeader && message_left_ == 0) message_have_ = 0;
      continue;
    }
    const auto n = std::min<std::size_t>(message_left_, bytes.size() - at);
    const bool hello = message_type_ == kClientHello || message_type_ == kServerHello;
    if (hello && rules.keeps_hellos()) {
      sheet.keep(base + at, base + at + n);
    } else if (hello && n == message_left_ && message_begins_) {
      hello_.assign(bytes.substr(at, n));
      rules.hello(hello_, message_type_ == kClientHello);
      sheet.write(base + at, hello_);
    } else {
      sheet.hide(base + at, base + at + n);
    }
    message_begins_ = false;
    at += n;
    message_left_ -= static_cast<std::uint32_t>(n);
    if (message_left_ == 0) message_have_ = 0;
  }
}

}  // namespace tailcap::formats::mask
