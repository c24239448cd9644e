// gRPC-Web: the messages of a call in an HTTP/1 body, and at the end of a response its trailers. In the text form all
// of it is base64, in pieces that may each be padded.
//
// Bytes that were not captured are known only by number: of messages that is enough, of prefixes, trailers and base64
// not.
#pragma once

#include <cstdint>
#include <string_view>

#include "analyze/model/wire/message.h"
#include "analyze/protocols/grpc/framing.h"

namespace tailcap::protocols::grpc {

class WebBody {
 public:
  explicit WebBody(bool text) : text_(text) {}
  // `length` bytes of body at stream offset `offset` of this run; bytes are they, or empty: not captured.
  void push(const model::ByteRun& run, std::uint64_t offset, std::uint64_t length, std::string_view bytes);
  // Body bytes went by unseen.
  void lose() {
    framing_.lose(facts_);
    unseen_ = true;
  }
  // The body is over: what it was goes into the message.
  void finish(model::Message& message);

 private:
  bool text_;
  bool unseen_ = false;  // some of it was not captured
  GrpcFraming framing_{true};
  model::GrpcFacts facts_;
  // A group of four base64 digits that is not complete.
  unsigned bits_ = 0, digits_ = 0, padding_ = 0;
};

}  // namespace tailcap::protocols::grpc
