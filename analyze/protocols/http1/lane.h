// One direction of an HTTP/1 connection: finds the borders of its messages.
//
// A lane knows nothing of the other direction: after a head it stops, and its owner says how the body is framed.
// Where the framing lies in bytes that were lost or not captured it seeks: it trusts nothing until a run begins with
// a start line and fields without fault. The message it was in stays open until then, or until the end.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyze/protocols/grpc/web.h"
#include "analyze/protocols/http1/chunks.h"
#include "analyze/protocols/http1/head.h"
#include "analyze/protocols/http1/head_buffer.h"
#include "analyze/protocols/input/cursor.h"
#include "analyze/protocols/input/messages.h"

namespace tailcap::protocols {

enum class LaneRole : std::uint8_t { unknown, requests, responses };
enum class BodyFraming : std::uint8_t { none, length, chunked, until_close, unknown };

// A run that has to wait, with the bytes it points to.
struct HeldRun {
  explicit HeldRun(const model::ByteRun& run);
  model::ByteRun view() const;  // valid while this lives and is not moved
  model::ByteRun run;
  std::string bytes;
  std::vector<model::ArrivalMark> marks;
};

class MessageLane {
 public:
  enum class State : std::uint8_t { start, head, length, chunks, until_close, opaque, seek };
  enum class Event : std::uint8_t {
    more,      // all of the run is used
    head,      // a head is complete: say frame()
    cut,       // the message's head breaks off or is none; it stays open, its end unknown
    finished,  // message is whole: take it
    resync,    // seeking, and this run begins a message: close what is open, say resume()
  };

  MessageLane(model::ConnectionId connection, model::Direction direction, HeldHeads& heads)
      : direction_(direction), connection_(connection), buffer_(heads) {}

  void set_role(LaneRole role) { role_ = role; }
  void begin(bool first_known) {
    state_ = first_known ? State::start : State::seek;
    quiet_ = !first_known;
    begun_ = true;
    first_known_ = first_known;
  }
  Event advance(Cursor& cursor);
  // n bytes in front of this run were lost. cut or finished as in advance, else more.
  Event gap(std::uint64_t n, const model::ByteRun& run);
  // doubtful: it may have been asked for with HEAD, and then no body follows.
  Event frame(BodyFraming framing, std::uint64_t length, bool doubtful = false);
  void resume() {
    state_ = State::start;
    quiet_ = false;
    swallowed_ = 0;
  }
  void lose(model::Taint why) {
    state_ = lost_in_ = State::seek;
    swallowed_ = swallowed_ | why;
    open_ = false;
  }
  void become_opaque();
  // The open request was answered before its body began, and waited to be asked for it: the body may never be sent.
  void body_may_be_missing() {
    unsent_ = open_ && !body_begun_ && (state_ == State::length || state_ == State::chunks);
  }
  // The direction ended: true if a message was open; it is ready to be taken. alone: if one is open while seeking, no
  // other can be in what was seen of it.
  bool end(const model::ByteRun& run, bool alone);
  // Seeking with an open message: it ended with the last run seen. `sure`: what followed proves that a message
  // ended there. False: nothing was open.
  bool close_open(bool sure);
  // Seeking, and the last bytes seen are what ends such a message.
  bool ends_well() const;

  model::Message message;
  Framing framing;

  State state() const { return state_; }
  model::ConnectionId connection() const { return connection_; }
  model::Direction direction() const { return direction_; }
  LaneRole role() const { return role_; }
  bool begun() const { return begun_; }
  bool open() const { return open_; }
  bool at_border() const { return state_ == State::start; }
  bool quiet() const { return quiet_; }
  bool first_known() const { return first_known_; }
  // Whole messages may have gone by unseen since the last border: why.
  model::Taints swallowed() const { return swallowed_; }
  LaneRole guessed() const { return guessed_; }
  std::uint64_t position() const { return position_; }
  std::uint64_t opaque_bytes() const { return state_ == State::opaque ? position_ - opaque_from_ : 0; }
  model::Time last_done() const { return last_done_; }

  // For the owner.
  std::vector<HeldRun> held;
  std::size_t held_bytes = 0;
  std::optional<model::ByteRun> end_held;
  bool ended = false;
  model::Time seen_from = model::kNoTime;  // the first bytes: arrived, or moved where that was not seen
  std::uint64_t total = 0;                 // bytes moved, lost ones included

 private:
  Event advance_head(Cursor& cursor);
  Event cut(Cursor& cursor, model::Taint why);
  Event seek(Cursor& cursor);
  Event finish(model::Ending ending);
  void open_message(const model::ByteRun& run, std::uint64_t offset);
  // Bytes [from, to) belong to the open message.
  void touch(const model::ByteRun& run, std::uint64_t from, std::uint64_t to);
  void use(Cursor& cursor, std::uint64_t n);
  // The same for bytes of the body.
  void use_body(Cursor& cursor, std::uint64_t n);
  // At the first byte of a body. False: there is none.
  bool body_begins(const Cursor& cursor);
  void remember_tail(const model::ByteRun& run);

  model::Direction direction_;
  model::ConnectionId connection_;
  LaneRole role_ = LaneRole::unknown, guessed_ = LaneRole::unknown;
  State state_ = State::start;
  State lost_in_ = State::start;  // where the framing got lost: head or chunks allow to recognise the end
  bool begun_ = false, first_known_ = false, open_ = false, quiet_ = false, opaque_next_ = false;
  model::Taints swallowed_ = 0;
  bool gap_inside_ = false;
  std::uint64_t position_ = 0;  // offset behind the last byte used
  std::uint64_t left_ = 0, body_ = 0, opaque_from_ = 0;
  bool body_begun_ = false, doubtful_ = false, body_unsure_ = false;
  bool unsent_ = false;  // see body_may_be_missing()
  Chunks chunks_;
  std::unique_ptr<grpc::WebBody> web_;  // of the open message, where it is gRPC-Web's
  HeadBuffer buffer_;                   // a head that came in several runs
  std::string tail_;                    // the last bytes of the last run, while seeking
  model::Time last_done_ = model::kNoTime;
};

}  // namespace tailcap::protocols
