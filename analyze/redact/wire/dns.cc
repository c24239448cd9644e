#include "analyze/redact/wire/dns.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace tailcap::redact::wire {
namespace {

constexpr std::size_t kHeader = 12, kMaxRecords = 512;
constexpr unsigned kA = 1, kNs = 2, kCname = 5, kPtr = 12, kAaaa = 28;

class Message {
 public:
  Message(std::string& bytes, const HeaderList& list) : bytes_(bytes), list_(list) {}

  bool run() {
    if (bytes_.size() < kHeader) return false;
    const unsigned questions = number(4), records = number(6) + number(8) + number(10);
    if (questions > 8 || records > kMaxRecords) return false;
    at_ = kHeader;
    for (unsigned i = 0; i < questions; ++i)
      if (!name() || !skip(4)) return false;
    for (unsigned i = 0; i < records && at_ < bytes_.size(); ++i)
      if (!record()) return hide(at_);
    return at_ == bytes_.size() || hide(at_);
  }

 private:
  unsigned number(std::size_t at) const {
    return static_cast<unsigned>(static_cast<unsigned char>(bytes_[at])) << 8 |
           static_cast<unsigned char>(bytes_[at + 1]);
  }
  bool skip(std::size_t n) {
    if (n > bytes_.size() - at_) return false;
    at_ += n;
    return true;
  }
  // What is cut or not understood, but behind a sound question.
  bool hide(std::size_t from) {
    std::fill(bytes_.begin() + static_cast<std::ptrdiff_t>(from), bytes_.end(), '*');
    return true;
  }

  bool name() {
    for (std::size_t labels = 0; labels < 128 && at_ < bytes_.size(); ++labels) {
      const std::size_t length = static_cast<unsigned char>(bytes_[at_]);
      if (length >= 0xc0) return skip(2);
      if (length > 63 || !skip(1)) return false;
      if (length == 0) return true;
      if (length > bytes_.size() - at_) return false;
      const std::string label = bytes_.substr(at_, length);
      if (label != "localhost") bytes_.replace(at_, length, list_.words(label));
      at_ += length;
    }
    return false;
  }

  bool record() {
    const std::size_t begin = at_;
    if (!name() || bytes_.size() - at_ < 10) {
      at_ = begin;
      return false;
    }
    const unsigned type = number(at_), length = number(at_ + 8);
    skip(10);
    if (length > bytes_.size() - at_) return false;
    const std::size_t end = at_ + length;
    if ((type == kA && length == 4) || (type == kAaaa && length == 16)) {
      if (list_.strict()) address(at_, length);
    } else if (type == kNs || type == kCname || type == kPtr) {
      if (!name() || at_ > end) return false;
    } else {
      std::fill_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_), length, '*');
    }
    at_ = end;
    return true;
  }

  void address(std::size_t at, std::size_t length) {
    formats::Address a;
    std::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at), length, reinterpret_cast<char*>(a.bytes.data()));
    a = list_.names().address(a, length == 16);
    std::copy_n(reinterpret_cast<const char*>(a.bytes.data()), length,
                bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::string& bytes_;
  const HeaderList& list_;
  std::size_t at_ = 0;
};

}  // namespace

bool redact_dns(std::string& message, const HeaderList& list) { return Message(message, list).run(); }

}  // namespace tailcap::redact::wire
