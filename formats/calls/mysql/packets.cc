#include "formats/calls/mysql/packets.h"

#include <algorithm>

#include "formats/calls/mysql/wire.h"

namespace tailcap::formats::calls::mysql {

Token Packets::gather(std::string_view bytes) {
  const Token token{.size = std::min<std::size_t>(4u - got, bytes.size())};
  for (std::size_t i = 0; i < token.size; i++) header[got++] = byte(bytes, i);
  if (got < 4) return token;
  got = 0;
  left = header[0] | static_cast<std::uint32_t>(header[1] << 8) | static_cast<std::uint32_t>(header[2] << 16);
  return token;
}

Token Packets::take(std::string_view bytes, bool& done) {
  const Piece& p = plan[step];
  Token token{.part = p.part, .field = p.field};
  const std::size_t most = std::min<std::size_t>(bytes.size(), left);
  if (pending == 0) {
    number = 0;
    shift = 0;
  }
  if (p.size == kRest) {
    token.size = most;
  } else if (p.size == kText) {
    const std::size_t end = bytes.substr(0, most).find('\0');
    done = end != bytes.npos;
    token.size = done ? end + 1 : most;
  } else if (p.size == kNumber && pending == 0) {
    token.size = 1;
    const std::uint8_t lead = byte(bytes, 0);
    number = lead;
    if (lead > 0xfa) {
      if (lead == 0xfb || lead == 0xff) return {};
      number = 0;
      pending = lead == 0xfc ? 2 : lead == 0xfd ? 3 : 8;
      if (pending >= left) return {};
      token.part = Part::framing;
    } else {
      done = true;
    }
  } else {
    if (pending == 0) {
      if (p.size > left) return {};
      pending = p.size;
    }
    token.size = std::min<std::size_t>(most, pending);
    if (p.use == Use::zeros) {
      const std::size_t zeros = std::min(bytes.substr(0, token.size).find_first_not_of('\0'), token.size);
      token.part = zeros > 0 ? Part::framing : Part::value;
      token.size = std::max<std::size_t>(zeros, 1);
    }
    for (std::size_t i = 0; i < token.size && shift < 64; i++, shift = static_cast<std::uint8_t>(shift + 8))
      number |= std::uint64_t{byte(bytes, i)} << shift;
    pending = static_cast<std::uint8_t>(pending - token.size);
    done = pending == 0;
  }
  left -= static_cast<std::uint32_t>(token.size);
  return token;
}

}  // namespace tailcap::formats::calls::mysql
