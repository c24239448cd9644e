// HTTP/2 on one connection, both directions: streams into requests and responses.
//
// The two directions are read separately and may overtake each other: a response may begin before its request was read.
// After a loss, or if recording began late, frame borders are searched for again, and what is not known stays unknown.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "analyze/model/wire/findings.h"
#include "analyze/protocols/http2/late_start.h"
#include "analyze/protocols/http2/stream.h"
#include "analyze/protocols/http2/turns.h"
#include "analyze/protocols/input/messages.h"
#include "ground/threads/parts.h"

namespace tailcap::protocols::http2 {

// The state that the connections of a part hold together. A few bytes of a frame can open a stream, and can expand to
// kilobytes of fields.
struct Held {
  // Header fields of open streams, and header tables. One connection may have all of it.
  static constexpr std::size_t kMaxText = (64u << 20) / ground::kParts;
  static constexpr std::size_t kMaxStreams = (32u << 10) / ground::kParts;  // some 2 kB each
  static constexpr std::size_t kMaxSpare = 256;
  std::size_t text = 0, streams = 0;
  std::vector<Http2Streams::node_type> spare;  // streams that are over: their memory is used again
};

class Http2Connection {
 public:
  static constexpr std::size_t kMaxStreams = 4096;
  static constexpr std::size_t kMaxClosed = 256;
  static constexpr std::size_t kMaxWaits = 64;
  // The most streams that a client may have opened between two frames that were read; more require further proof.
  static constexpr std::uint32_t kMaxLeap = 1u << 16;
  // How long a response waits for a request that may still be read: a piece out of order is held for a tenth of that.
  static constexpr model::Duration kRequestPatience = std::chrono::seconds{1};

  // client: the direction that begins with the preface. Without it the recording began later and nothing is known; the
  // content of the directions decides which is the client.
  Http2Connection(model::ConnectionId id, std::optional<model::Direction> client, Held& held);
  ~Http2Connection();
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  // The connection was upgraded: stream 1 is a request that was read elsewhere. settings: its HTTP2-Settings field.
  void upgraded(std::string_view settings);
  void push(const model::ByteRun& run, Messages& out, model::Findings& findings);
  // For a connection that began late, when no more data comes: reports everything that can be known now. To be called
  // before the first run with an end.
  void settle(Messages& out, model::Findings& findings);
  // Frames were found in a connection that was not known to be HTTP/2.
  bool found() const { return client_.has_value(); }
  bool done() const { return ended_[0] && ended_[1]; }

 private:
  struct Context {
    Messages& out;
    model::Findings& findings;
    const model::ByteRun& run;
  };

  Sender& sender(model::Direction d) { return senders_[static_cast<std::size_t>(d)]; }
  bool asks(model::Direction d) const { return client_ && *client_ == d; }

  void bytes(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void feed(const model::ByteRun& run, Messages& out, model::Findings& findings);
  void act(const SenderItem& item, Context& c);
  void headers(const SenderItem& item, Context& c);
  void promise(const SenderItem& item, Context& c);
  void data(const SenderItem& item, Context& c);
  void reset(const SenderItem& item, Context& c);
  void goaway(const SenderItem& item, Context& c);
  void settings(const SenderItem& item, Context& c);
  void window_update(const SenderItem& item, Context& c);
  void passed_over(model::Direction d);
  Fit fits(const FrameHeader& frame, model::Direction d) const;
  bool found_again(const model::ByteRun& run);
  bool request_may_come(std::uint32_t id, const Stream& stream) const;
  void let_wait(std::uint32_t id, Stream& stream, model::Ending ending, model::End closed, Context& c);
  void release_answer(Stream& stream, Context& c);
  void request_came(std::uint32_t id, Context& c);
  void give_up_waiting(std::uint32_t below, Context& c);
  void lost(const SenderItem& item, Context& c);
  void end(const model::ByteRun& run, Context& c);

  void apply_initial_window(model::Direction setter, std::uint32_t before, model::Time at);
  void spend(Half& half, const SenderItem& item, Context& c);
  void take_turn(Half& half, const SenderItem& item, model::Time room_at, Context& c);
  void overtake(std::uint32_t id, const SenderItem& item, Context& c);
  // The stream that a frame belongs to; nullptr: it is over, or its push was not seen.
  Stream* find(std::uint32_t id, model::Direction d, Context& c);
  Stream& open(std::uint32_t id, Context& c);
  Stream& fresh(std::uint32_t id);
  void make_room(Context& c);
  void finish(std::uint32_t id, Stream& stream, Half& half, model::Ending ending, model::End closed, Context& c);
  void break_off(std::uint32_t id, Stream& stream, const model::StreamReset& reset, Context& c);
  void refuse_if_above(std::uint32_t id, Context& c);
  void forget_if_done(std::uint32_t id, model::Time when);
  void remember_closed(std::uint32_t id);
  void forget_windows();
  void hold_text(Half& half, std::size_t before, Context& c);
  void hold_table(model::Direction d);

  model::ConnectionId id_;
  std::optional<model::Direction> client_;
  Held& held_;
  Sender senders_[2];
  FlowWindow windows_[2];                    // of the connection, by the direction of the DATA
  std::vector<model::WindowWait> waits_[2];  // the last kMaxWaits of them
  std::uint64_t waits_count_[2] = {0, 0};
  Http2Streams streams_;
  std::vector<std::uint32_t> closed_;  // streams that were reset lately and may still get frames; a ring
  std::size_t closed_next_ = 0;
  std::uint32_t highest_ = 0;           // stream seen
  std::uint32_t highest_asked_ = 0;     // stream whose header block was read from the client
  std::vector<std::uint32_t> waiting_;  // streams whose response is over and waits for its request
  StreamTurns turns_[2];                // by the direction of the DATA
  Places places_;
  std::optional<model::StreamReset> goaway_;
  std::uint32_t goaway_last_ = 0x7fffffff;
  std::size_t table_size_[2] = {0, 0};    // as counted in held_
  std::unique_ptr<Http2LateStart> late_;  // until it is known which end is the client
  bool windows_followed_;
  bool begun_[2] = {false, false}, ended_[2] = {false, false};
  bool lost_once_[2] = {false, false};  // streams may have been opened unseen
  static constexpr auto kBegan = static_cast<model::Taints>(model::Taint::began_before);
  model::Taints why_unseen_[2] = {kBegan, kBegan};
};

}  // namespace tailcap::protocols::http2
