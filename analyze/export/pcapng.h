// Packets in the format of Wireshark (draft-ietf-opsawg-pcapng): IP without a link layer, one interface.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "formats/socket_event.h"

namespace tailcap::exports {

struct TcpSegment {
  std::int64_t time = 0;  // ns since 1970
  formats::Family family = formats::Family::inet;
  formats::Address from, to;
  std::uint32_t sequence = 0, acknowledged = 0;
  bool fin = false, reset = false;
  std::uint32_t length = 0;   // bytes of payload, at most kLongest
  std::string_view captured;  // the first of them
  std::string comment;        // empty: none; escaped by the caller
  static constexpr std::uint32_t kLongest = 32'000;
};

class Pcapng {
 public:
  // Writes the section's head and its interface.
  Pcapng(std::function<void(std::string_view)> write, std::string_view version);
  void add(const TcpSegment& segment);

 private:
  std::function<void(std::string_view)> write_;
};

}  // namespace tailcap::exports
