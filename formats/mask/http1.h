// One direction of an HTTP/1 connection: the meaning of each byte.
//
// The head of each message is kept as Fields determines, and only the framing of its body. If the bytes are not a
// message, or the end of a message is unknown, nothing is kept until an I/O begins with a message that proves itself.
//
// Behind a request whose end parsers are known to place differently, a body can have the form of a request, and the
// requests of others can stand in the middle of what this parser takes for a value. So nothing is kept from there on.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "formats/mask/chunks.h"
#include "formats/mask/fields.h"
#include "formats/mask/web_body.h"
#include "ground/http/http_start_line.h"

namespace tailcap::formats::mask {

using ground::Role;
using ground::StartLine;

// State shared by the two directions: the requests that are not answered yet.
struct Questions {
  struct Question {
    bool head = false, connect = false, h2c = false;
    bool expects = false, continued = false;  // a 100 before its body; the 100 came
  };
  std::vector<Question> asked;  // the oldest first
  unsigned early = 0;           // responses that were seen before their requests: two CPUs recorded them
  bool refused = false;         // the last request had Expect and got no 100: its body may never come
  bool whole = false;           // the connection was seen from its beginning
};

class Http1 {
 public:
  enum class State : std::uint8_t { start, fields, length, chunks, until_close, seek };
  // The protocol of the connection after the bytes that were used.
  enum class Turn : std::uint8_t { none, http2, tunnel, foreign, contradiction };

  explicit Http1(Role role = Role::unknown) : role_(role) {}

  // Processes the next bytes; begins_io: an I/O begins with the first of them. Returns how many it used: fewer than all
  // only if turn() is not none.
  std::size_t feed(std::string_view bytes, std::size_t base, bool begins_io, Questions& questions, Sheet& sheet,
                   const Rules& rules);
  // Bytes that were moved and are not visible.
  void skip(std::uint64_t n);

  Turn take_turn() { return std::exchange(turn_, Turn::none); }
  void lose();
  // The next bytes are the first ones, behind these: they may be the preface of HTTP/2.
  void at_beginning(std::string_view begun) {
    beginning_ = sure_ = true;
    line_ = begun;
  }
  void allow_preface() { beginning_ = true; }
  void set_role(Role role) { role_ = role; }
  Role role() const { return role_; }
  // A message has proved that this is HTTP/1.
  bool proved() const { return proved_; }
  // Complete heads of messages, interim responses left out; those of responses with a status of 500 and more.
  std::uint64_t heads() const { return heads_; }
  std::uint64_t server_errors() const { return server_errors_; }
  bool lost() const { return state_ == State::seek; }
  // True if the position was lost at some time since the previous call.
  bool take_lost() { return std::exchange(was_lost_, false) || lost(); }
  // Bytes of text that waits for what follows it.
  std::size_t held() const { return held_by(line_) + fields_.held() + chunks_.held() + (web_ ? web_->held() : 0); }

 private:
  static constexpr std::size_t kMaxLine = 64u << 10;  // of a start line

  std::size_t start(std::string_view bytes, std::size_t base, Sheet& sheet, const Rules& rules);
  void show_start(const StartLine& line, std::size_t before, std::string_view bytes, std::size_t base, bool whole,
                  Sheet& sheet, const Rules& rules);
  void begin_head(const StartLine& line, bool crlf);
  void head_done(Questions& questions);
  void request_done(Questions& questions);
  void response_done(Questions& questions);
  void body(std::uint64_t length);
  void message_done() { state_ = State::start; }
  void refuse();
  void lose_for_good();
  void broken();
  std::size_t body_bytes(std::string_view bytes, std::size_t base, std::uint64_t most, Sheet& sheet,
                         const Rules& rules);

  State state_ = State::start;
  Turn turn_ = Turn::none;
  Role role_;
  bool beginning_ = false, proved_ = false, was_lost_ = false;
  bool sure_ = false;      // every byte since the connection began was at its place
  bool barred_ = false;    // nothing is believed any more
  bool modern_ = false;    // the current message is HTTP/1.1
  bool doubtful_ = false;  // the response may answer HEAD and have no body
  std::string line_;       // an incomplete start line
  StartLine start_;        // of the current message
  Fields fields_;
  Chunks chunks_;
  std::uint64_t left_ = 0, heads_ = 0, server_errors_ = 0;
  std::unique_ptr<WebBody> web_;
};

}  // namespace tailcap::formats::mask
