// The methods of frames and their arguments.
#include <algorithm>

#include "formats/calls/amqp/frames.h"

namespace tailcap::formats::calls::amqp {
namespace {

// 0: the argument is a text behind its length.
constexpr std::uint32_t width(char kind) {
  switch (kind) {
    case 'b':
      return 1;
    case 'r':
    case 'c':
    case 'h':
      return 2;
    case 'm':
    case 'l':
      return 4;
    case 't':
      return 8;
    default:
      return 0;
  }
}
constexpr bool is_hidden(char kind) { return kind == 'h' || kind == 'l'; }

}  // namespace

Token Amqp::method(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const bool group = d.at == At::group;
  const std::size_t end = group ? 2 : 4;
  Token token{.size = std::min(end - d.head, bytes.size()), .field = group ? Field::none : Field::error_code};
  std::copy_n(bytes.data(), token.size, d.text + d.head);
  d.head = static_cast<std::uint8_t>(d.head + token.size);
  if (d.head < end) return token;
  if (group) {
    d.at = At::method;
    return token;
  }
  token.text_ends = true;
  const unsigned of_class = two(d.text), id = two(d.text + 2);
  const Side other = side == Side::requests ? Side::responses : Side::requests;
  d.message.method = amqp::method(side, of_class, id);
  if (!d.message.method && amqp::method(other, of_class, id)) return lost(side);
  odd_ = odd_ || !d.message.method;
  d.arguments = d.message.method ? d.message.method->arguments : "";
  d.head = 0;
  d.left -= 4;
  return next_argument(d) ? token : lost(side);
}

// False: there is no room for it.
bool Amqp::next_argument(Direction& d) {
  const char kind = *d.arguments;
  d.value = 0;
  if (kind == 0) {
    odd_ = odd_ || (d.left > 0 && d.message.method);
    d.at = d.left > 0 ? At::rest : At::frame_end;
    return true;
  }
  d.at = At::number;
  d.need = width(kind);
  if (d.need == 0) d.need = kind == 'S' ? 4 : 1;
  return d.need <= d.left;
}

bool Amqp::argument_done(Direction& d) {
  ++d.arguments;
  return next_argument(d);
}

Token Amqp::number(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const char kind = *d.arguments;
  const std::size_t n = std::min<std::size_t>(d.need, bytes.size());
  Token token{.size = n};
  if (kind == 'c') token.field = Field::error_code;
  if (is_hidden(kind))
    token.part = Part::value;
  else
    for (std::size_t i = 0; i < n; ++i) d.value = d.value << 8 | byte(bytes[i]);
  d.left -= static_cast<std::uint32_t>(n);
  d.need -= static_cast<std::uint32_t>(n);
  if (d.need > 0) return token;
  token.text_ends = kind == 'c';
  switch (kind) {
    case 'b':
      d.message.bits = static_cast<std::uint8_t>(d.value);
      odd_ = odd_ || (d.value & ~std::uint64_t{d.message.method->bits}) != 0;
      break;
    case 't':
      d.message.tag = d.value;
      break;
    case 'm':
      d.message.culprit = amqp::number(d.value >> 16 & 0xff, d.value & 0xff);
      break;
    default:
      if (width(kind) > 0) break;
      if (d.value > d.left) return lost(side);
      d.lengths = static_cast<std::uint16_t>(std::uint64_t{d.lengths} << 8 | (d.value & 0xff));
      if (d.value == 0) break;
      d.need = static_cast<std::uint32_t>(d.value);
      d.at = At::text;
      return token;
  }
  return argument_done(d) ? token : lost(side);
}

Token Amqp::text(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const std::size_t n = std::min<std::size_t>(d.need, bytes.size());
  Token token{.size = n, .part = Part::value};
  d.left -= static_cast<std::uint32_t>(n);
  d.need -= static_cast<std::uint32_t>(n);
  if (is_resource(*d.arguments)) {
    // The key of a message for no exchange is the name of a queue.
    token.part = *d.arguments == 'n' || d.lengths >> 8 == 0 ? Part::name : Part::key;
    token.field = Field::key;
    token.text_ends = d.need == 0;
  }
  return d.need > 0 || argument_done(d) ? token : lost(side);
}

}  // namespace tailcap::formats::calls::amqp
