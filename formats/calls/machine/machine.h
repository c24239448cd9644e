// Calls of databases, caches and queues: what each byte of their protocols is.
//
// A machine reads both directions of one connection. It takes bytes from the front, says of each piece what it is, and
// keeps no text: a piece may be cut anywhere, and the next call goes on where it ended. The writer of a capture decides
// by `part` what is kept (formats/mask); the analyser makes messages of the rest (analyze/protocols/calls). Both read
// the same tokens, of whole bytes or of masked ones: masking changes neither lengths nor framing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace tailcap::formats::calls {

enum class Side : std::uint8_t { requests = 0, responses = 1 };

// What becomes of bytes in a capture.
enum class Part : std::uint8_t {
  framing,    // kept: types, lengths, counts, codes, names of commands
  key,        // kept as its shape (key_shape.h)
  name,       // of a topic, a queue, an exchange: likewise, and words stay
  statement,  // kept with its literals replaced (formats/sql)
  value,      // hidden: arguments, texts of errors, passwords, rows. Long ones are left out
};

// What the analyser reads from bytes.
enum class Field : std::uint8_t {
  none,
  operation,   // the name of a command: GET
  key,         // what it is done to
  statement,   // SQL
  definition,  // the name that a statement is prepared under; in a response: the one that the server chose
  reference,   // the name of the prepared statement that is executed
  error_code,  // of a response: 42P01, WRONGTYPE
  rows,        // of a response: how many, in decimal; the last run of digits counts
};

struct Token {
  std::size_t size = 0;  // bytes of it, at least 1; 0: the protocol does not allow these bytes here
  Part part = Part::framing;
  Field field = Field::none;
  bool text_ends = false;   // the field ends with these bytes
  bool begins = false;      // the first byte of a message
  bool ends = false;        // the last byte of a message
  bool failed = false;      // `ends`, a response: an error
  bool unanswered = false;  // `ends`, a request: no response will come
  bool pushed = false;      // `ends`, a response: it answers no request
  // `ends`, a response: how many requests behind the answered one were skipped; they failed without an answer.
  std::uint16_t further = 0;
  bool waits = false;               // `ends`, a request: it asks to wait (BLPOP, a fetch with a maximum wait)
  std::string_view operation = {};  // `ends`, a request: its name where no bytes hold it; static text
  // `ends`: the number of the call that the message belongs to, from 1, in protocols whose answers come in any order or
  // whose server asks, too. 0: answers come in the order of requests.
  std::uint32_t call = 0;
  // `ends`, with a number: the roles are exchanged. The server asks (a delivery), or the client answers it (an
  // acknowledgement).
  bool turned = false;
  // `ends`, a call with a number: what no other message of its broker has, the same wherever that is seen (its reply
  // subject). 0: nothing is known.
  std::uint64_t message = 0;
  // `ends`, a delivery, or the answer to what published: its place in what its broker keeps, and when it came there by
  // the broker's clock (ns since 1970). 0: nothing is known. Messages of other stores may have the same place.
  std::uint64_t stored = 0, stored_at = 0;
  // `ends`, a call with a number: the call of the other side that it answers besides. 0: none.
  std::uint32_t answered = 0;
};

enum class Fault : std::uint8_t { client, server };  // whose fault an error is

// What shows, on a connection that was found in its middle, that answers belong to the requests that they seem to
// answer.
enum class Order : std::uint8_t {
  silence,  // a request that came some time after all known ones were answered
  settled,  // the server says so: Machine::settled()
  proof,    // the proof of the protocol: a message says which one it follows
  numbers,  // likewise, and answers come in any order
};

class Machine {
 public:
  virtual ~Machine() = default;
  // The next piece of a direction; `bytes` is not empty.
  virtual Token next(Side side, std::string_view bytes) = 0;
  // n bytes follow that cannot be seen. False: they held a border, and the position of this direction is lost.
  virtual bool skip(Side side, std::uint64_t n) = 0;
  // How the message ended whose last byte the last skip() of this side reached.
  virtual Token skipped(Side) { return {.ends = true}; }
  // Behind a token that `ends`, with a number: the next further call that the same message answers (an acknowledgement
  // of several). 0: none.
  virtual std::uint32_t further_call() { return 0; }
  // The position of a direction is lost, and these are the last visible bytes of an I/O. True: they end at a border of
  // messages, whatever comes before them, and the machine goes on behind them. What was open on that direction ended
  // with them; `ended` says how, as a token that `ends`, and its `size` how many of the last bytes prove it. No bytes:
  // the other side asks anew, and has never asked before it was answered.
  virtual bool resume(Side, std::string_view, Token&) { return false; }
  // A response that begins with these bytes answers a request that was read. Where no request is named: always.
  virtual bool answers(std::string_view) const { return true; }
  // Since the connection was found in its middle, everything that was asked before has been answered, as far as answers
  // can tell.
  virtual bool settled() const { return true; }
  virtual Order order() const { return Order::silence; }
  // A direction is between messages.
  virtual bool at_border(Side side) const = 0;
  // Behind the last token the connection carries TLS (SSLRequest and its answer).
  virtual bool turns_to_tls() const { return false; }
};

}  // namespace tailcap::formats::calls
