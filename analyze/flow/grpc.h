// What gRPC adds to one message of an HTTP/2 stream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/flow/byte_run.h"

namespace tailcap::flow {

// One length-prefixed message inside a request's or response's body.
struct GrpcMessage {
  std::uint32_t length = 0;  // without its five bytes of prefix
  bool compressed = false;
  Time first_arrived = kNoTime, last_arrived = kNoTime;  // direction in
  Time first_done = kNoTime, last_done = kNoTime;        // read or sent
};

struct GrpcFacts {
  // A stream can carry messages without end: counts go on, the list does not.
  static constexpr std::size_t kMaxListed = 64;

  std::optional<int> status;         // response: grpc-status, in its trailers or, trailers-only, in its head
  std::string message;               // response: grpc-message, percent-decoded
  std::optional<Duration> timeout;   // request: grpc-timeout
  bool trailers_only = false;        // response: head and trailers in one
  std::uint64_t messages = 0;        // whole ones
  std::uint64_t compressed = 0;      // of these
  std::uint64_t bytes = 0;           // of these, prefixes included
  bool exact = true;                 // false: prefixes were lost or not captured, the counts are lower bounds
  bool broken_off = false;           // the body ended in the middle of a message
  std::vector<GrpcMessage> listed;   // the first of them
};

}  // namespace tailcap::flow
