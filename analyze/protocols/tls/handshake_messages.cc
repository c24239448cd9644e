#include "analyze/protocols/tls/handshake_messages.h"

#include <algorithm>

namespace tailcap::protocols::tls {

bool HandshakeMessages::next(std::string_view& bytes, std::uint32_t& length) {
  const bool captured = !bytes.empty();
  const auto skip = [&](std::size_t n) {
    if (captured) bytes.remove_prefix(n);
    length -= static_cast<std::uint32_t>(n);
  };
  while (!lost_ && (length > 0 || (have_ == 4 && left_ == 0))) {
    if (have_ < 4) {
      if (!captured) {
        lost_ = true;
        return false;
      }
      const std::size_t n = std::min<std::size_t>(4 - have_, length);
      std::copy_n(bytes.data(), n, header_ + have_);
      have_ += n;
      skip(n);
      if (have_ < 4) return false;
      const auto byte = [&](int i) { return std::uint32_t{static_cast<unsigned char>(header_[i])}; };
      type = static_cast<std::uint8_t>(header_[0]);
      left_ = byte(1) << 16 | byte(2) << 8 | byte(3);
      collected_.clear();
      cut_ = false;
      body = {};
      if (type != kClientHello && type != kServerHello) return true;
      continue;
    }
    const std::size_t n = std::min(left_, length);
    const bool hello = type == kClientHello || type == kServerHello;
    if (hello && !cut_) {
      if (!captured)
        cut_ = true;
      else
        collected_.append(bytes.substr(0, std::min(n, kMaxHello - collected_.size())));
    }
    skip(n);
    left_ -= static_cast<std::uint32_t>(n);
    if (left_ > 0) return false;
    have_ = 0;
    if (hello) {
      body = collected_;
      return true;
    }
  }
  return false;
}

}  // namespace tailcap::protocols::tls
