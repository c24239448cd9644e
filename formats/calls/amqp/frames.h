// Both directions of a connection of AMQP, as a machine: amqp.cc takes frames apart, arguments.cc the methods in them,
// unseen.cc goes on behind bytes that were not seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "formats/calls/amqp/calls.h"
#include "formats/calls/amqp/methods.h"
#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::amqp {

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

// An argument that names what a method is about.
constexpr bool is_resource(char kind) { return kind == 'k' || kind == 'n'; }

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

}  // namespace tailcap::formats::calls::amqp
