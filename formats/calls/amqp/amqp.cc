#include "formats/calls/amqp/amqp.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "formats/calls/amqp/calls.h"
#include "formats/calls/amqp/methods.h"

namespace tailcap::formats::calls::amqp {

namespace {

constexpr unsigned kMaxChannel = 2047;  // RabbitMQ's

// How far one direction was read.
struct Direction {
  enum class At : std::uint8_t {
    start,      // the bytes that begin a connection
    header,     // of a frame
    group,      // the class of a method
    method,     // its number
    number,     // an argument, or the length of one
    text,       // an argument
    content,    // class, weight and size of a content
    rest,       // hidden, to the end of the frame
    body,       // of the content
    frame_end,  // the byte behind a frame
    lost,
  };
  enum class Content : std::uint8_t { none, header, body };  // what comes next of the message

  At at = At::header;
  Content content = Content::none;
  bool own = false;            // the frame is of the message
  bool begins = false;         // the message begins with the next byte
  std::uint8_t head = 0;       // bytes in `text`
  std::uint16_t channel = 0;   // of the frame
  std::uint32_t frame = 0;     // its size
  std::uint32_t left = 0;      // of it
  std::uint32_t need = 0;      // bytes of the argument that are not read yet
  std::uint16_t lengths = 0;   // of the last two texts
  std::uint32_t expected = 0;  // the size of the next frame, which was begun in what was not seen
  std::uint64_t value = 0;     // of a number so far
  std::uint64_t bodies = 0;    // bytes of the content that are not read yet
  const char* arguments = "";  // the one that is read, and those behind it
  Read message;
  char text[kContentHeader] = {};
};
using At = Direction::At;
using Content = Direction::Content;

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
constexpr bool is_resource(char kind) { return kind == 'k' || kind == 'n'; }
constexpr bool is_hidden(char kind) { return kind == 'h' || kind == 'l'; }

bool is_evident(Side side, const Method* m) {
  const Side other = side == Side::requests ? Side::responses : Side::requests;
  return m && (m->role == Role::settle || !amqp::method(other, m->number >> 8, m->number & 0xff));
}

class Amqp final : public Machine {
 public:
  explicit Amqp(bool from_beginning) : calls_(from_beginning) {
    if (from_beginning) of(Side::requests).at = At::start;
  }

  Token next(Side side, std::string_view bytes) override;
  bool skip(Side side, std::uint64_t n) override;
  Token skipped(Side side) override { return skipped_[static_cast<std::size_t>(side)]; }
  std::uint32_t further_call() override { return calls_.further_call(); }
  bool resume(Side side, std::string_view last, Token& ended) override;
  Order order() const override { return Order::numbers; }
  bool at_border(Side side) const override {
    const Direction& d = directions_[static_cast<std::size_t>(side)];
    return (d.at == At::header || d.at == At::start) && d.head == 0 && d.content == Content::none;
  }
  // How many methods were read to their ends that only this side sends, or that acknowledge; and whether all frames
  // were what the protocol names.
  std::uint64_t evident() const { return evident_; }
  bool strict() const { return !odd_; }
  // Only a value goes on.
  bool may_pause(Side side) const {
    const Direction& d = directions_[static_cast<std::size_t>(side)];
    return d.at == At::body || (d.at == At::rest && d.own) || (d.at == At::header && d.head == 0);
  }

 private:
  Direction& of(Side side) { return directions_[static_cast<std::size_t>(side)]; }
  Token lost(Side side);
  Token start(Direction& d, std::string_view bytes);
  Token header(Side side, std::string_view bytes);
  bool begin_frame(Direction& d);
  Token method(Side side, std::string_view bytes);
  bool next_argument(Direction& d);
  bool argument_done(Direction& d);
  Token number(Side side, std::string_view bytes);
  Token text(Side side, std::string_view bytes);
  Token content(Side side, std::string_view bytes);
  Token hidden(Direction& d, std::string_view bytes);
  Token frame_end(Side side, std::string_view bytes);
  bool skip_bodies(Side side, std::uint64_t n);
  void end(Side side, Token& token);

  Direction directions_[2];
  Token skipped_[2];
  Calls calls_;
  std::uint64_t evident_ = 0;
  bool odd_ = false;
};

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

bool Amqp::skip(Side side, std::uint64_t n) {
  Direction& d = of(side);
  if (d.at == At::lost) return false;
  if (n == 0) return true;
  if (d.at == At::text && !is_resource(*d.arguments) && n <= d.need) {
    d.left -= static_cast<std::uint32_t>(n);
    d.need -= static_cast<std::uint32_t>(n);
    if (d.need > 0 || argument_done(d)) return true;
  } else if ((d.at == At::rest || d.at == At::body) && n <= d.left) {
    if (d.at == At::body) d.bodies -= n;
    d.left -= static_cast<std::uint32_t>(n);
    if (d.left == 0) d.at = At::frame_end;
    return true;
  } else if (d.at == At::body && skip_bodies(side, n)) {
    return true;
  }
  lost(side);
  return false;
}

// All bodies of a content but the last have the size of the first.
bool Amqp::skip_bodies(Side side, std::uint64_t n) {
  Direction& d = of(side);
  const std::uint64_t size = d.frame, unit = size + kFrameHeader + 1;
  n -= d.left;
  d.bodies -= std::exchange(d.left, 0);
  const bool more = d.bodies > 0;
  if (more && unit < kMinFrame) return false;
  const std::uint64_t whole = std::min(n / unit, d.bodies / size);
  n -= whole * unit;
  d.bodies -= whole * size;
  d.at = At::frame_end;
  if (n == 0) return true;
  --n;
  if (d.bodies > 0) {
    const std::uint64_t last = std::min(size, d.bodies);
    d.text[0] = static_cast<char>(kBody);
    for (std::size_t i = 0; i < 2; ++i) d.text[1 + i] = static_cast<char>(d.channel >> (8 - 8 * i) & 0xff);
    for (std::size_t i = 0; i < 4; ++i) d.text[3 + i] = static_cast<char>(last >> (24 - 8 * i) & 0xff);
    d.at = At::header;
    d.head = static_cast<std::uint8_t>(std::min<std::uint64_t>(n, kFrameHeader));
    d.expected = d.head > 0 ? static_cast<std::uint32_t>(last) : 0;
    if (n < kFrameHeader) return true;
    n -= kFrameHeader;
    if (!begin_frame(d)) return false;
    const std::uint64_t seen = std::min<std::uint64_t>(n, d.left);
    n -= seen;
    d.bodies -= seen;
    d.left -= static_cast<std::uint32_t>(seen);
    if (d.left > 0) return true;
    d.at = At::frame_end;
    if (n == 0) return true;
    --n;
  }
  if (n > 0) return false;
  skipped_[static_cast<std::size_t>(side)] = frame_end(side, std::string_view(&kFrameEnd, 1));
  return true;
}

// An acknowledgement has no byte that is hidden: it is there in masked bytes, too.
bool Amqp::resume(Side side, std::string_view last, Token& ended) {
  constexpr std::size_t kSize = 13, kWhole = kFrameHeader + kSize + 1;
  Direction& d = of(side);
  if (d.at != At::lost || last.size() < kWhole) return false;
  last.remove_prefix(last.size() - kWhole);
  if (last[0] != kMethod || four(last.data() + 3) != kSize || last.back() != kFrameEnd) return false;
  const Method* m = amqp::method(side, two(last.data() + 7), two(last.data() + 9));
  if (two(last.data() + 1) > kMaxChannel || !m || m->role != Role::settle) return false;
  if ((byte(last[kWhole - 2]) & ~unsigned{m->bits}) != 0) return false;
  d = Direction{};
  ended = {.size = kWhole};
  return true;
}

}  // namespace

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
