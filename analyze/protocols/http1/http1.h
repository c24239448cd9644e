// HTTP/1 on one connection, both directions: who asks, which response answers what, how bodies are framed.
//
// The events of two threads can pass each other, so a response may come before its request: then it waits, bounded.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analyze/model/wire/findings.h"
#include "analyze/protocols/http1/lane.h"
#include "analyze/protocols/input/messages.h"

namespace tailcap::protocols {

inline constexpr std::size_t kMaxHeldRuns = 256;
inline constexpr std::size_t kMaxHeldRunBytes = 256u << 10;

class Http1 {
 public:
  Http1(model::ConnectionId connection, HeldHeads& heads)
      : lanes_{MessageLane(connection, model::Direction::out, heads),
               MessageLane(connection, model::Direction::in, heads)} {}

  Http1(const Http1&) = delete;  // roles point into lanes_
  Http1& operator=(const Http1&) = delete;

  void push(const model::ByteRun& run, Messages& out, model::Findings& findings);
  // Both directions have ended.
  bool done() const { return lanes_[0].ended && lanes_[1].ended; }

 private:
  // A request that was not answered yet.
  struct Asked {
    bool head = false, connect = false, upgrade = false;
    model::Time begun = model::kNoTime;
  };
  struct Context {
    Messages& out;
    model::Findings& findings;
  };

  MessageLane& lane(model::Direction d) { return lanes_[static_cast<std::size_t>(d)]; }
  bool server() const { return requests_ == &lanes_[1]; }
  void set_roles(MessageLane& asking);
  bool detect(MessageLane& lane, const model::ByteRun& run, Context& c);
  void refuse(Context& c);

  bool blocked(const MessageLane& lane, model::Time done) const;
  void hold(MessageLane& lane, const model::ByteRun& run);
  void settle(Context& c);
  bool drain(MessageLane& lane, Context& c);
  void feed(MessageLane& lane, const model::ByteRun& run, Context& c);
  void handle(MessageLane& lane, MessageLane::Event event, Cursor& cursor, Context& c);
  void end(MessageLane& lane, const model::ByteRun& run, Context& c);

  void request_head(MessageLane& lane, bool cut, const model::ByteRun& run, Context& c);
  MessageLane::Event response_head(MessageLane& lane, Context& c);
  void take(MessageLane& lane, Context& c);
  void end_requests(Context& c);
  void resync(MessageLane& lane, Cursor& cursor, Context& c);
  bool decided(model::Time done) const { return requests_->ended || !patient_ || done < decided_to_; }
  void answers_lost(std::size_t n, Context& c);
  void infer_response_end(const model::ByteRun& run, Context& c);
  void infer_request_end(const model::ByteRun& run, Context& c);
  void note_losses();
  bool alone() const;
  bool requests_whole() const;
  static model::Taints missing(const MessageLane& lane);
  void pop_asked();
  std::size_t open_questions() const { return asked_.size() - asked_head_; }
  const Asked* asked() const { return open_questions() ? &asked_[asked_head_] : nullptr; }

  MessageLane lanes_[2];
  MessageLane *requests_ = nullptr, *responses_ = nullptr;
  bool refused_ = false;         // not HTTP
  bool patient_ = true;          // responses may wait for their request
  bool awaits_upgrade_ = false;  // what follows the last request depends on its response
  bool pipelines_ = false;       // this client does not wait for its responses
  bool seen_head_ = false;
  bool asked_once_ = false;     // a request was seen
  bool answered_once_ = false;  // and a final response
  bool upgraded_ = false;
  std::uint64_t last_request_run_ = 0;       // offset of the run in which the last request began, plus one
  model::Time request_at_ = model::kNoTime;  // when the request being fed was read or sent
  // A response found again waits for the next piece of the requests, which shows whether any were lost too.
  bool resync_waits_ = false;
  model::Time decided_to_ = model::kNoTime;  // that piece was moved then …
  bool decided_whole_ = false;               // … and nothing was missing before it
  std::uint32_t request_losses_ = 0;         // how often requests may have gone by …
  std::uint32_t losses_at_seek_ = 0;         // … until the responses' lane began to seek
  bool seeking_ = false;
  model::Time answered_open_ =
      model::kNoTime;                   // when the request that is open although its framing is lost was answered
  model::Taints requests_missing_ = 0;  // why requests may have gone by unseen
  model::Taints next_taints_ = 0;       // of the next response: what came instead before it
  bool unasked_ = false;                // the response that is under way answers no request that was seen
  bool unsolicited_ = false;            // … and none that was not seen either
  bool whole_ = true;                   // every byte was seen, and no message border was lost
  bool next_unknown_ = false;           // the request of the next response is unknown
  std::vector<Asked> asked_;
  std::size_t asked_head_ = 0;
};

}  // namespace tailcap::protocols
