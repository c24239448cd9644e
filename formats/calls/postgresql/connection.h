// Both directions of a connection of PostgreSQL, as a machine: postgresql.cc takes messages apart, texts.cc the texts
// in them, requests.cc and responses.cc say what they are.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/calls/machine/machine.h"
#include "formats/calls/postgresql/outstanding.h"

namespace tailcap::formats::calls::postgresql {

enum class Step : std::uint8_t {
  lost,
  startup,  // the length and the code of the first messages of a client
  type,
  length,
  // Inside a body:
  definition,
  statement,
  portal,
  reference,
  row_limit,
  target,  // of Describe and Close: S or P
  tag,
  field_code,
  error_text,
  status,
  rest,  // hidden
};

// Messages whose last byte can be the end of a call. It has to be seen.
bool end_counts(Side side, char type);

// Where one direction stands.
struct Reading {
  Step step = Step::type;
  char type = 0;              // 0: StartupMessage
  char code = 0;              // of the field of an error
  std::uint8_t gathered = 0;  // bytes of `number`
  std::uint8_t shown = 0;     // bytes of a text that were kept
  bool hidden = false;        // the rest of the text is not kept
  bool open = false;          // a message is
  std::uint32_t left = 0;     // bytes of the body
  std::uint64_t number = 0;
};

class Postgresql final : public Machine {
 public:
  explicit Postgresql(bool from_beginning) : asked_(from_beginning), greets_(from_beginning) {
    if (from_beginning) in_[0].step = Step::startup;
  }

  Token next(Side side, std::string_view bytes) override {
    Reading& in = at(side);
    if (in.step == Step::lost || tls_ || bytes.empty()) return {};
    const Token token = read(side, in, bytes);
    if (token.size == 0) in.step = Step::lost;
    return token;
  }

  bool skip(Side side, std::uint64_t n) override {
    Reading& in = at(side);
    if (in.step == Step::lost) return n == 0;
    if (n == 0) return true;
    if (in.step <= Step::length || in.step == Step::status || n > in.left ||
        (n == in.left && end_counts(side, in.type))) {
      in.step = Step::lost;
      return false;
    }
    in.left -= static_cast<std::uint32_t>(n);
    in.step = Step::rest;
    if (in.left > 0 || done(side, in, {.size = 1}).size > 0) return true;
    in.step = Step::lost;
    return false;
  }

  bool resume(Side side, std::string_view bytes, Token& ended) override;

  bool at_border(Side side) const override {
    const Reading& in = in_[static_cast<std::size_t>(side)];
    return !in.open && (in.step == Step::type || (in.step == Step::startup && in.gathered == 0));
  }

  bool turns_to_tls() const override { return tls_; }
  bool settled() const override { return settled_; }
  Order order() const override { return Order::settled; }

 private:
  Reading& at(Side side) { return in_[static_cast<std::size_t>(side)]; }

  Token read(Side side, Reading& in, std::string_view bytes);
  Token startup(Reading& in, std::string_view bytes);
  Token request_type(Reading& in, char type);
  Token response_type(Reading& in, char type);
  Token length(Side side, Reading& in, std::string_view bytes);
  Token text(Side side, Reading& in, std::string_view bytes);
  Token text_end(Side side, Reading& in, Field field);
  Token field_code(Reading& in, char code);
  Token rest(Side side, Reading& in, std::string_view bytes);
  Token done(Side side, Reading& in, Token token);
  Token request_done(Reading& in, Token token);
  Token response_done(Reading& in, Token token);
  Token ready(Reading& in);
  Token ready_done(Reading& in, Token token);
  Token response_ends(Token token, bool failed);

  std::array<Reading, 2> in_;
  // Requests.
  bool bound_ = false;         // the open request holds a Bind
  std::uint16_t replies_ = 0;  // that the open request will have
  // Both.
  Outstanding asked_;
  bool tls_ = false;
  bool settled_ = false;  // a ReadyForQuery left nothing to answer
  // Responses; what is said of the open one ends with it.
  bool greets_;              // the next byte may answer an SSLRequest
  bool extended_ = false;    // it answers no Query, though its request is not known
  bool pushed_ = false;      // it answers no call
  bool failed_ = false;      // an error was in it
  bool fatal_ = false;       // the error ends the connection
  bool skipping_ = false;    // an error was: the server waits for a Sync
  std::uint16_t came_ = 0;   // replies to a PREPARE
  std::size_t skipped_ = 0;  // calls that end with the open ReadyForQuery
};

}  // namespace tailcap::formats::calls::postgresql
