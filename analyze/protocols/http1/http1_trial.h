// HTTP/1 in a connection with an unseen beginning: text that looks like HTTP/1 may be content of another protocol.
//
// Nothing is delivered until a request and the response to it were read, each in its direction. Two responses without a
// request between them are not HTTP, nor are messages of one kind from both ends; then the search begins again.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "analyze/protocols/http1/http1.h"

namespace tailcap::protocols {

class Http1Trial {
 public:
  // Requests without any response, in a connection without contradictions to HTTP.
  static constexpr std::size_t kMaxKept = 64;
  // After this many contradictions the connection is not HTTP. One contradiction may be a body that contains HTTP
  // messages.
  static constexpr unsigned kMaxContradictions = 3;

  Http1Trial(model::ConnectionId id, HeldHeads& heads)
      : id_(id), heads_(heads), http1_(std::make_unique<Http1>(id, heads)) {}
  // True: it is decided; hand_on() the messages read, and continue with take().
  bool push(const model::ByteRun& run);
  void hand_on(Messages& out, model::Findings& findings);
  std::unique_ptr<Http1> take() { return std::move(http1_); }

 private:
  bool believed() const;
  void drop();
  bool contradicts(const model::ByteRun& run);

  model::ConnectionId id_;
  HeldHeads& heads_;
  std::unique_ptr<Http1> http1_;
  Messages fresh_;
  model::Findings findings_;
  std::vector<model::Message> kept_;
  unsigned unasked_ = 0;  // responses to requests that were not seen
  bool asked_ = false, proved_ = false;
  unsigned contradictions_ = 0;
  bool begins_[2][2] = {};                                  // by direction: a run began with a request, with a response
  bool unseen_ = false, seen_ = false;                      // bytes moved that were not captured; that were
  bool ended_ = false;                                      // a direction
  model::Time last_[2] = {model::kNoTime, model::kNoTime};  // bytes that could be read were moved in this direction
};

}  // namespace tailcap::protocols
