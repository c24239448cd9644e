// gRPC facts of one message of an HTTP/2 stream (or, as gRPC-Web, of HTTP/1), and the meaning of its names and numbers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::model {

// One length-prefixed message inside a request's or response's body.
struct GrpcMessage {
  std::uint32_t length = 0;  // without its five bytes of prefix
  bool compressed = false;
  Time first_arrived = kNoTime, last_arrived = kNoTime;  // direction in
  Time first_done = kNoTime, last_done = kNoTime;        // read or sent
};

// The place of a call's trace context; it belongs in the request's head, in front of every message.
enum class GrpcContext : std::uint8_t {
  unknown = 0,  // header fields are missing
  absent = 1,
  head = 2,
  late = 3,  // only behind the messages, in the request's trailers
};

struct GrpcFacts {
  // A stream can carry messages without end: counts go on, the list does not.
  static constexpr std::size_t kMaxListed = 64;

  std::optional<int> status;                   // response: grpc-status, in its trailers or, trailers-only, in its head
  std::string message;                         // response: grpc-message, percent-decoded
  std::optional<Duration> timeout;             // request: grpc-timeout
  bool trailers_only = false;                  // response: head and trailers in one
  std::uint64_t messages = 0;                  // whole ones
  std::uint64_t compressed = 0;                // of these
  std::uint64_t bytes = 0;                     // of these, prefixes included
  bool exact = true;                           // false: prefixes were lost or not captured, the counts are lower bounds
  bool broken_off = false;                     // the body ended in the middle of a message
  GrpcContext context = GrpcContext::unknown;  // request
  std::vector<GrpcMessage> listed;             // the first of them
};

// "NOT_FOUND" for 5; empty for a number that gRPC does not define.
std::string_view grpc_status_name(int status);

// "/pkg.Service/Method" in its two parts. nullopt: not of that form.
struct RpcName {
  std::string_view service, method;
};
std::optional<RpcName> rpc_name(std::string_view path);

// Why a call was answered UNIMPLEMENTED (12), by the words that gRPC's libraries use for it.
enum class GrpcCause : std::uint8_t {
  unknown,          // without words, as C++ stubs and some servers answer
  unknown_service,  // the server has no such service: no handler ran
  unknown_method,   // the service has no such method: no handler ran
  unregistered,     // no handler ran; it is not known whether service or method is missing
  handler,          // a generated stub's words: the method is there, its body is not
  other,            // other words: most likely the handler's own
};
GrpcCause unimplemented_cause(std::string_view grpc_message);
std::string_view name_of(GrpcCause cause);      // "unknown_service", …; empty for unknown
std::string_view name_of(GrpcContext context);  // "absent", …; empty for unknown

}  // namespace tailcap::model
