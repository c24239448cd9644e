// The handshake messages in one direction while they are not encrypted, over records and fragments cut anywhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "ground/tls_record.h"

namespace tailcap::protocols::tls {

using namespace ground::tls;

inline constexpr std::uint8_t kCertificate = 11;
// The most bytes kept of a hello; longer ones (none is known: with post-quantum keys they have 2 KiB) are read up to
// here.
inline constexpr std::size_t kMaxHello = 16u << 10;

class HandshakeMessages {
 public:
  // Reads the next length bytes of the stream of messages; bytes holds them, or is empty: not captured. True: `type`
  // and `body` describe a hello that is whole or as whole as it will get, or another message that began; call again
  // with the rest of both until it is false. Views live until the next call.
  bool next(std::string_view& bytes, std::uint32_t& length);
  // The next bytes are not known: nothing more can be learned from this direction.
  void lose() { lost_ = true; }
  bool lost() const { return lost_; }

  std::uint8_t type = 0;
  std::string_view body;

 private:
  bool lost_ = false, cut_ = false;
  char header_[4] = {};
  std::size_t have_ = 0;
  std::uint32_t left_ = 0;  // of the message's body
  std::string collected_;
};

}  // namespace tailcap::protocols::tls
