// What an endpoint says of itself in SETTINGS (RFC 9113, section 6.5), as far as it matters to a listener.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ground/http/http2_frame.h"

namespace tailcap::protocols::http2 {

using namespace ground::http2;

inline constexpr std::uint32_t kInitialWindow = 65535;
inline constexpr std::uint32_t kMaxWindow = 0x7fffffff;

struct Settings {
  std::uint32_t initial_window = kInitialWindow;
  std::uint32_t max_frame = kSmallestMaxFrame;
  std::optional<std::uint32_t> max_streams;  // unset: not limited

  // The header table's size is not among them: a header block says itself what its table may hold.
  void apply(std::string_view payload);
};

// The payload inside an HTTP2-Settings field (RFC 7540, section 3.2.1); empty where it is none.
std::string settings_of_upgrade(std::string_view base64url);

}  // namespace tailcap::protocols::http2
