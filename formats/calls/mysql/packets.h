// The packets of MySQL in one direction: their headers, and the pieces of their payloads.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/calls/machine/machine.h"
#include "formats/calls/mysql/wire.h"

namespace tailcap::formats::calls::mysql {

enum class Lost : std::uint8_t { no, hidden, broken };  // bytes could not be seen; they are not this protocol

// The packets of one direction.
struct Packets {
  std::array<std::uint8_t, 4> header;
  std::uint8_t got = 0;  // bytes of the header
  std::uint8_t sequence = 0;
  std::uint8_t step = 0;     // in the plan
  std::uint8_t pending = 0;  // bytes of the current piece that are to come
  std::uint8_t shift = 0;    // of the next byte of the number
  bool continues = false;    // the next packet continues this one
  bool fresh = false;        // the payload begins
  Lost lost = Lost::no;
  std::uint32_t left = 0;  // bytes of the payload in this packet
  std::uint64_t number = 0;
  Plan plan;  // empty: the first byte of the payload decides

  // Takes of a packet's header; `got` becomes 0 with its last byte.
  Token gather(std::string_view bytes);
  // Takes of the current piece. Size 0: it does not fit. done: it ended, and `number` is its.
  Token take(std::string_view bytes, bool& done);
};

}  // namespace tailcap::formats::calls::mysql
