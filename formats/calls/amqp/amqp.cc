#include "formats/calls/amqp/amqp.h"

#include <algorithm>
#include <utility>

#include "formats/calls/amqp/frames.h"

namespace tailcap::formats::calls::amqp {

namespace {

bool is_evident(Side side, const Method* m) {
  const Side other = side == Side::requests ? Side::responses : Side::requests;
  return m && (m->role == Role::settle || !amqp::method(other, m->number >> 8, m->number & 0xff));
}

}  // namespace

Token Amqp::lost(Side side) {
  of(side) = Direction{};
  of(side).at = At::lost;
  calls_.lose();
  return {};
}

Token Amqp::next(Side side, std::string_view bytes) {
  Direction& d = of(side);
  switch (d.at) {
    case At::start: {
      const Token token = start(d, bytes);
      return token.size > 0 ? token : lost(side);
    }
    case At::header:
      return header(side, bytes);
    case At::group:
    case At::method:
      return method(side, bytes);
    case At::number:
      return number(side, bytes);
    case At::text:
      return text(side, bytes);
    case At::content:
      return content(side, bytes);
    case At::rest:
    case At::body:
      return hidden(d, bytes);
    case At::frame_end:
      return frame_end(side, bytes);
    case At::lost:
      break;
  }
  return {};
}

Token Amqp::start(Direction& d, std::string_view bytes) {
  const std::string_view rest = kBeginning.substr(d.head);
  const std::size_t n = std::min(rest.size(), bytes.size());
  if (rest.substr(0, n) != bytes.substr(0, n)) return {};
  d.head = static_cast<std::uint8_t>(d.head + n);
  if (d.head == kBeginning.size()) {
    d.head = 0;
    d.at = At::header;
  }
  return {.size = n};
}

void Amqp::end(Side side, Token& token) {
  Direction& d = of(side);
  d.content = Content::none;
  calls_.end(side, d.message, token);
}

Token Amqp::header(Side side, std::string_view bytes) {
  Direction& d = of(side);
  Token token{.size = std::min(kFrameHeader - d.head, bytes.size())};
  if (d.head == 0) {
    const bool begins = bytes[0] == kMethod;
    if (!begins && bytes[0] != kHeader && bytes[0] != kBody && bytes[0] != kHeartbeat) return lost(side);
    if (begins && d.content != Content::none) {  // another channel's: the message ends before its content
      token.size = 1;
      end(side, token);
      d.begins = true;
    } else {
      token.begins = begins;
    }
  } else {
    token.begins = std::exchange(d.begins, false);
  }
  std::copy_n(bytes.data(), token.size, d.text + d.head);
  d.head = static_cast<std::uint8_t>(d.head + token.size);
  if (d.head == kFrameHeader && !begin_frame(d)) return lost(side);
  return token;
}

// False: there is no such frame.
bool Amqp::begin_frame(Direction& d) {
  const unsigned type = byte(d.text[0]);
  d.channel = static_cast<std::uint16_t>(two(d.text + 1));
  d.frame = d.left = four(d.text + 3);
  d.head = 0;
  d.own = d.content != Content::none && d.channel == d.message.channel;
  const std::uint32_t expected = std::exchange(d.expected, 0);
  if (d.frame > kMaxFrame || (expected > 0 && (type != kBody || !d.own || d.frame != expected))) return false;
  d.at = d.left > 0 ? At::rest : At::frame_end;
  switch (type) {
    case kMethod:
      d.own = true;
      d.message = {};
      d.message.channel = d.channel;
      d.at = At::group;
      return d.left >= 4;
    case kHeader:
      if (!d.own) break;
      d.at = At::content;
      return d.content == Content::header && d.left >= kContentHeader + 2;
    case kBody:
      if (!d.own) break;
      if (d.content != Content::body || d.left > d.bodies) return false;
      if (d.left > 0) d.at = At::body;
      return true;
    default:
      d.own = false;
      return d.left == 0 && d.channel == 0;
  }
  odd_ = true;
  return true;
}

Token Amqp::content(Side side, std::string_view bytes) {
  Direction& d = of(side);
  const Token token{.size = std::min(kContentHeader - d.head, bytes.size())};
  std::copy_n(bytes.data(), token.size, d.text + d.head);
  d.head = static_cast<std::uint8_t>(d.head + token.size);
  if (d.head < kContentHeader) return token;
  d.head = 0;
  d.left -= static_cast<std::uint32_t>(kContentHeader);
  d.bodies = std::uint64_t{four(d.text + 4)} << 32 | four(d.text + 8);
  const std::uint64_t mixed = (d.bodies << 16 | d.lengths) * 0x9e3779b97f4a7c15ull;
  d.message.print = static_cast<std::uint32_t>(mixed >> 32) | 1;
  d.at = At::rest;
  return two(d.text) == d.message.method->number >> 8 ? token : lost(side);
}

Token Amqp::hidden(Direction& d, std::string_view bytes) {
  const auto n = static_cast<std::uint32_t>(std::min<std::size_t>(d.left, bytes.size()));
  d.left -= n;
  if (d.at == At::body) d.bodies -= n;
  if (d.left == 0) d.at = At::frame_end;
  return {.size = n, .part = Part::value};
}

Token Amqp::frame_end(Side side, std::string_view bytes) {
  Direction& d = of(side);
  if (bytes[0] != kFrameEnd) return lost(side);
  Token token{.size = 1};
  d.at = At::header;
  if (!std::exchange(d.own, false)) return token;
  switch (d.content) {
    case Content::none:
      evident_ += is_evident(side, d.message.method);
      if (d.message.method && d.message.method->content)
        d.content = Content::header;
      else
        end(side, token);
      break;
    case Content::header:
      d.content = Content::body;
      [[fallthrough]];
    case Content::body:
      if (d.bodies == 0) end(side, token);
      break;
  }
  return token;
}

bool begins(Side side, std::string_view bytes) {
  if (side == Side::requests) return bytes.starts_with(kBeginning);
  // Its version is 0-9.
  constexpr std::string_view kStart{"\0\x0a\0\x0a\0\x09", 6};
  constexpr std::uint32_t kLeast = 20;
  return bytes.size() >= kFrameHeader + kStart.size() && bytes[0] == kMethod && two(bytes.data() + 1) == 0 &&
         bytes.substr(kFrameHeader).starts_with(kStart) && four(bytes.data() + 3) >= kLeast &&
         four(bytes.data() + 3) <= kMaxFrame;
}

bool proves(Side side, std::string_view bytes, std::uint64_t length) {
  constexpr std::size_t kLeast = kFrameHeader + 4 + 1;
  if (bytes.size() < kLeast || bytes.size() > length || bytes[0] != kMethod) return false;
  if (two(bytes.data() + 1) > kMaxChannel) return false;
  const bool whole = bytes.size() == length;
  Amqp machine(false);
  while (!bytes.empty()) {
    const Token token = machine.next(side, bytes);
    if (token.size == 0) return false;
    bytes.remove_prefix(token.size);
  }
  return machine.evident() > 0 && machine.strict() && (!whole || machine.may_pause(side));
}

std::unique_ptr<Machine> machine(bool from_beginning) { return std::make_unique<Amqp>(from_beginning); }

}  // namespace tailcap::formats::calls::amqp
