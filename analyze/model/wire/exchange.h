// One request with its response, as one end of the connection saw it; made by exchanges/.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "analyze/model/wire/message.h"

namespace tailcap::model {

enum class Role : std::uint8_t { server = 0, client = 1 };

enum class Outcome : std::uint8_t {
  ok = 0,            // 1xx–3xx
  client_error = 1,  // 4xx
  server_error = 2,  // 5xx
  upgraded = 3,      // 101, or 2xx to CONNECT
  truncated = 4,     // the response broke off (fin before its end, error)
  reset = 5,         // a reset ended it
  no_response = 6,   // the connection ended before a response began
  in_flight = 7,     // the recording ended before the response did
  unknown = 8,       // the response lies in lost bytes, or the request was not seen
  cancelled = 9,     // the client gave it up before the response was whole: it reset the stream with CANCEL
};

// Number of an exchange on its connection end, from 1. "12.3" names the third exchange of connection 12.
struct ExchangeId {
  ConnectionId connection = 0;
  std::uint32_t index = 0;
  auto operator<=>(const ExchangeId&) const = default;
};

// Where the beginning of a connection is not read, its exchanges have numbers above this one. They are in order, but
// not those that the exchanges have in the whole capture, and must not be shown.
inline constexpr std::uint32_t kProvisional = 0x80000000u;

// The connections of which only a part is read: the first `connections`, but for some that are read whole.
struct PartlyRead {
  std::uint32_t connections = 0;
  std::set<ConnectionId> whole;
  bool contains(ConnectionId id) const { return id <= connections && !whole.contains(id); }
};

// What an exchange is but for its texts and lists: copied as it is.
struct ExchangeFacts {
  ExchangeId id;
  Role role = Role::server;
  Protocol protocol = Protocol::unknown;
  bool tls = false;
  Outcome outcome = Outcome::unknown;
  bool complete = false;  // both messages seen from first to last byte
  std::uint32_t stream = 0;
  int status = 0;  // 0: unknown or none
  bool request_headers_complete = false, response_headers_complete = false;
  std::optional<std::uint64_t> request_bytes, response_bytes;
  Instants request, response;
  Time seen_from = kNoTime;  // the request's beginning was not seen: its first byte that was
  Time request_head_done = kNoTime;
  Time request_body_arrived = kNoTime;
  Time continue_done = kNoTime;  // 100 Continue sent (server) or read (client); kNoTime: none
  bool expects_continue = false;
  std::uint32_t interim_responses = 0;
  Time predecessor_done = kNoTime;  // pipelined: when the response before it was done
  Time broken_at = kNoTime;         // when what broke it off ended the direction of the response
  Thread reader, writer;            // server: who read the request's first byte, who sent the response's first byte
                                    // client: writer sent the request's first byte, reader read the response's
  std::uint64_t request_begin = 0;  // stream offset of the request's first byte
  // HTTP/2 and gRPC
  std::uint32_t unknown_fields = 0;  // header fields that could not be known: in neither list
  std::optional<StreamReset> reset;  // what broke the stream off; the client's own: it gave up
  BehindOthers request_behind_others, response_behind_others;
  std::optional<StreamLimit> stream_limit;      // client
  bool pushed = false;                          // promised by the server (PUSH_PROMISE): no request was sent
  std::uint64_t opaque_in = 0, opaque_out = 0;  // after an upgrade, so far as known when handed on
  Taints taints = 0;
};

struct Exchange : ExchangeFacts {
  std::string method, target;  // empty: unknown
  std::string authority;       // Host or :authority; empty: absent
  Headers request_headers, response_headers;
  Headers request_trailers, response_trailers;  // fields behind the body
  std::optional<GrpcFacts> request_grpc, response_grpc;
  std::optional<StoreFacts> store;
  WindowWaits request_window_waits, response_window_waits;
};

// Back to a fresh exchange, but for the memory of its texts.
void renew(Exchange& exchange);

}  // namespace tailcap::model
