// Finds the length-prefixed messages in the body of one direction of a gRPC call, over DATA frames cut anywhere.
//
// Only the five bytes in front of each message must be known; the rest is counted. gRPC-Web's trailers are a frame of
// their own, with the flag 0x80.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/wire/grpc.h"

namespace tailcap::protocols::grpc {

class GrpcFraming {
 public:
  // The text of gRPC-Web's trailers; what is longer is cut.
  static constexpr std::size_t kMaxTrailers = 16u << 10;

  explicit GrpcFraming(bool web = false) : web_(web) {}
  // `length` bytes of body, at stream offset `offset` of this run; bytes are they, or empty: not captured.
  void push(const model::ByteRun& run, std::uint64_t offset, std::uint64_t length, std::string_view bytes,
            model::GrpcFacts& facts);
  // Body bytes went by unseen: nothing is found from here on.
  void lose(model::GrpcFacts& facts);
  // The body is over.
  void finish(model::GrpcFacts& facts);
  // What is known of the trailers from their beginning on.
  const std::string& trailers() const { return trailers_; }

 private:
  void take_trailers(std::string_view bytes);

  void first(const model::ByteRun& run, std::uint64_t offset);
  void last(const model::ByteRun& run, std::uint64_t offset, model::GrpcFacts& facts);

  char prefix_[5] = {};
  std::uint32_t prefix_have_ = 0;
  std::uint64_t left_ = 0;  // of the message at hand
  model::GrpcMessage message_;
  bool web_, lost_ = false;
  bool in_trailers_ = false, trailers_cut_ = false;
  std::string trailers_;
};

}  // namespace tailcap::protocols::grpc
