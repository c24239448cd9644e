// The machine of memcached's protocols: what is known of each direction, and which requests are outstanding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>

#include "formats/calls/machine/machine.h"
#include "formats/calls/memcached/commands.h"

namespace tailcap::formats::calls::memcached {

// How far one direction was read.
struct Direction {
  enum class At : std::uint8_t { start, words, data, data_end, body };
  At at = At::start;
  Form form{};                                            // of the line
  bool lost = false;                                      // until resume, or for good
  bool open = false;                                      // more lines or packets of the same response follow
  bool answering = false;                                 // the response is that of a request that waits for it
  bool pushed = false;                                    // it answers a quiet request
  bool failed = false;                                    // the line, or the packet, is an error
  bool blank = false;                                     // one came behind the name of the line
  bool cr = false;                                        // the last byte was one
  bool field_open = false;                                // a name or a key goes on, or ended with the piece
  bool has_data = false, noreply = false, quiet = false;  // as the line says
  bool letter_q = false;                                  // the word begins with q
  std::uint8_t matched = 0;                               // bytes of kNoreply
  std::uint8_t head = 0;                                  // bytes in `text`
  std::uint16_t word = 0;                                 // bytes of the word
  std::uint32_t line = 0;                                 // bytes of the line
  Forms follow = 0;                                       // `open`: the lines that may
  const char* words = "";                                 // the word that is read, and those behind it
  const Command* command = nullptr;
  std::uint64_t left = 0;  // bytes of the data or the body
  char text[kMaxHeader] = {};

  std::string_view name() const { return {text, head}; }
  const Operation& op() const { return kOperations[byte(text[1])]; }
  // What comes next is of the same message.
  void next_line() {
    Direction next;
    next.open = true;
    next.answering = answering;
    next.pushed = pushed;
    next.follow = follow;
    *this = next;
  }
};

using At = Direction::At;

// A request that was not answered yet.
struct Asked {
  Forms answers;  // binary: the operation
  Forms quietly;  // of the quiet requests before it
};

class Memcached final : public Machine {
 public:
  explicit Memcached(bool from_beginning) : whole_(from_beginning) {}

  Token next(Side side, std::string_view bytes) override;
  bool skip(Side side, std::uint64_t n) override;
  bool resume(Side side, std::string_view last, Token& ended) override;
  bool at_border(Side side) const override {
    const Direction& d = of(side);
    return !d.lost && !d.open && d.at == At::start && d.head == 0;
  }
  // How many lines and headers were read to their ends.
  std::uint64_t lines() const { return lines_; }
  // All that was begun is whole, or is a value that goes on.
  bool may_pause(Side side) const {
    const Direction& d = of(side);
    return d.at == At::start ? d.head == 0 : d.at != At::words;
  }

 private:
  enum class Wire : std::uint8_t { unknown, text, binary };

  Direction& of(Side side) { return directions_[static_cast<std::size_t>(side)]; }
  const Direction& of(Side side) const { return directions_[static_cast<std::size_t>(side)]; }
  Token lost(Side side);
  Token text(Side side, std::string_view bytes);
  Token name(Side side, std::string_view bytes);
  bool named(Side side);
  bool begin_line(Side side);
  Token words(Side side, std::string_view bytes);
  Token line_end(Side side, std::string_view bytes);
  Token data_end(Side side, std::string_view bytes);
  Token message_end(Side side, Token token);
  Token header(Side side, std::string_view bytes);
  bool begin_packet(Side side);
  Token body(Side side, std::string_view bytes);
  Token packet_end(Side side, Token token);
  Token request_end(Token token, bool quiet, bool silent, Forms answers, Forms quietly);
  Token response_end(Token token);
  bool answered(Form form);
  bool answered_early();
  void answer_first();

  Direction directions_[2];
  std::deque<Asked> asked_;
  Forms quietly_ = 0;       // answers to the quiet requests behind the last of asked_
  bool hushed_ = false;     // a request behind it wants no answer; an error can come nevertheless
  bool whole_;              // all requests were seen
  bool pipelines_ = false;  // a request was sent before the last one was answered
  Wire wire_ = Wire::unknown;
  std::uint32_t early_ = 0;  // responses that were seen before the ends of their requests
  std::uint64_t lines_ = 0;
};

}  // namespace tailcap::formats::calls::memcached
