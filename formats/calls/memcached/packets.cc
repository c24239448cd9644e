// The packets of the binary protocol.
#include <algorithm>
#include <cstddef>

#include "formats/calls/memcached/commands.h"
#include "formats/calls/memcached/machine.h"
#include "formats/calls/memcached/memcached.h"

namespace tailcap::formats::calls::memcached {

Token Memcached::header(Side side, std::string_view bytes) {
  Direction& d = of(side);
  // A whole one is judged before any of it is kept.
  if (d.head == 0 && bytes.size() >= kMaxHeader && !is_header(side, bytes.data())) return lost(side);
  constexpr std::size_t kStatus = 6, kStatusEnd = 8;
  const std::size_t from = d.head, to = from < kStatus ? kStatus : from < kStatusEnd ? kStatusEnd : kMaxHeader;
  Token token{.size = std::min(to - from, bytes.size()), .begins = from == 0 && !d.open};
  std::copy_n(bytes.data(), token.size, d.text + from);
  d.head = static_cast<std::uint8_t>(from + token.size);
  if (byte(d.text[0]) != magic_of(side) || (d.head > 1 && !operation(byte(d.text[1])))) return lost(side);
  if (side == Side::responses && to == kStatusEnd) {
    const bool whole = d.head == kStatusEnd;
    d.failed = whole && is_failure(two(d.text + kStatus));
    if (!whole || d.failed) token.field = Field::error_code;
    token.text_ends = d.failed;
  }
  if (d.head < kMaxHeader) return token;
  if (!is_header(side, d.text) || !begin_packet(side)) return lost(side);
  ++lines_;
  d.left = body_of(d.text);
  if (d.left == 0) return packet_end(side, token);
  d.at = At::body;
  return token;
}

// False: a response that answers no request that can be here.
bool Memcached::begin_packet(Side side) {
  Direction& d = of(side);
  if (side == Side::requests) return true;
  const Forms number = byte(d.text[1]);
  if (d.open) return number == kStatOperation;
  d.pushed = d.op().quiet;
  if (d.pushed) return true;
  if (asked_.empty()) return answered_early();
  if (asked_.front().answers != number) return false;
  answer_first();
  return true;
}

Token Memcached::body(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const std::uint64_t extras = byte(d.text[4]), key_end = extras + two(d.text + 2), at = body_of(d.text) - d.left;
  const std::uint64_t border = at < extras ? extras : at < key_end ? key_end : at + d.left;
  auto n = std::min<std::uint64_t>(border - at, bytes.size());
  Token token{.part = Part::value};
  if (at >= extras && at < key_end && side == Side::requests && d.op().key == Keyed::yes) {
    token.part = Part::key;
    token.field = Field::key;
    token.text_ends = at + n == key_end;
  } else if (at >= key_end && n == d.left && n > 1) {
    --n;
  }
  token.size = static_cast<std::size_t>(n);
  d.left -= n;
  return d.left == 0 ? packet_end(side, token) : token;
}

Token Memcached::packet_end(Side side, Token token) {
  Direction& d = of(side);
  if (side == Side::requests) {
    const Operation& op = d.op();
    token.operation = op.name;
    return request_end(token, op.quiet, false, byte(d.text[1]), 0);
  }
  // Each statistic is a packet; one without a name is the last.
  if (byte(d.text[1]) == kStatOperation && two(d.text + 2) > 0 && !d.failed) {
    d.next_line();
    return token;
  }
  return response_end(token);
}

}  // namespace tailcap::formats::calls::memcached
