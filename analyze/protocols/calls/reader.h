// The calls of one connection to a database, cache or queue: tokens of formats/calls in, messages out.
//
// The bytes may be masked or whole: literals of statements and values in keys are replaced in either case, so that
// equal calls have equal names.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/byte_run.h"
#include "analyze/protocols/calls/statements.h"
#include "analyze/protocols/input/messages.h"
#include "formats/calls/stream.h"

namespace tailcap::protocols::calls {

namespace wire = formats::calls;

class Reader {
 public:
  // requests: the direction in which they move.
  Reader(model::ConnectionId id, wire::Stream stream, model::Direction requests);
  void push(const model::ByteRun& run, Messages& out);
  // Both directions have ended.
  bool done() const { return ended_[0] && ended_[1]; }
  wire::Kind kind() const { return stream_.kind(); }
  wire::Stream::State state() const { return stream_.state(); }

 private:
  struct Sink;
  struct Half {
    bool open = false;
    model::Message message;
    std::string operation, text, name, reference;  // as far as they were read
    std::size_t key = 0;                           // where in the text the last key begins
    wire::Part part = wire::Part::framing;         // what its bytes are
    bool key_open = false;                         // more of it may follow
    bool defines = false, refers = false;
    std::string code, rows;
    std::uint64_t size = 0;   // bytes of the message so far
    model::Taints doubt = 0;  // of what was lost before it ended
    // The last run of this direction.
    model::Time done = model::kNoTime, arrived = model::kNoTime;
    model::Thread thread;
  };

  Half& half(wire::Side side) { return halves_[static_cast<std::size_t>(side)]; }
  model::Direction direction(wire::Side side) const;
  void stamp(Half& half, model::Ending ending);
  void blank(wire::Side side);
  void begin(wire::Side side, const model::ByteRun& run, std::uint64_t offset);
  void read(wire::Side side, const wire::Token& token, std::string_view bytes);
  void end(wire::Side side, const wire::Token& token, model::Ending ending, Messages& out);
  void end_numbered(wire::Side side, wire::Token token, model::Ending ending, Messages& out);
  void answer_besides(const Half& h, std::uint32_t call, Messages& out);
  void read_key(Half& half, const wire::Token& token, std::string_view bytes) const;
  static void end_key(Half& half, bool cut);
  void end_request(Half& half, const wire::Token& token);
  void end_response(Half& half, const wire::Token& token);
  // Requests that were asked get answers of which nothing is known.
  void give_up(Messages& out);
  void give_up(std::uint32_t call, Messages& out);
  // Hands a message on, or keeps it until a first answer proves what the connection carries.
  void hand_on(model::Message& message, Messages& out);
  void prove(Messages& out);
  bool trusted() const;
  bool contradict(const wire::Token& token);
  void answer_early(Messages& out);
  void close(const model::ByteRun& run, Messages& out);

  static constexpr std::uint64_t kMostEarly = 64;  // responses that were seen before their requests

  model::ConnectionId id_;
  wire::Stream stream_;
  model::Direction requests_;
  model::Protocol protocol_;
  std::array<Half, 2> halves_;
  std::uint64_t outstanding_ = 0;
  std::map<std::uint32_t, wire::Side> numbered_;  // calls with numbers that have no answer yet, and which side asked
  std::uint32_t last_number_ = 0;                 // of what was asked
  std::set<std::uint32_t> answered_before_;       // calls whose answers were seen before them
  std::uint64_t early_ = 0;                       // responses that were seen before their requests
  model::Time early_at_ = model::kNoTime;         // the last of them
  std::vector<model::Message> unproved_;
  bool late_;             // it was found in the middle of a connection
  bool trusted_ = false;  // responses belong to the requests that they seem to answer
  bool failed_by_server_ = false;
  model::Time answered_at_ = model::kNoTime;
  SqlStatements statements_;
  bool ended_[2] = {false, false};
};

}  // namespace tailcap::protocols::calls
