// One HTTP message, or a change of what the connection carries, as protocols/ hands it to exchanges/.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/byte_run.h"
#include "analyze/model/wire/grpc.h"
#include "analyze/model/wire/stream_facts.h"
#include "analyze/model/wire/tls.h"

namespace tailcap::model {

enum class Protocol : std::uint8_t {
  unknown = 0,
  http10 = 1,
  http11 = 2,
  http2 = 3,
  grpc = 4,
  grpc_web = 5,
  redis = 6,  // stores, in the order of formats/calls/table.h
  postgresql = 7,
  mysql = 8,
  memcached = 9,
  nats = 10,
  kafka = 11,
  amqp = 12,
  tcp = 13,  // set-ups that failed: a connect,
  tls = 14,  // a handshake,
  dns = 15,  // the look-up of a name
};
constexpr bool is_setup(Protocol protocol) { return protocol >= Protocol::tcp; }
// They have an operation and what it is done to, and no status of HTTP.
constexpr bool has_operation(Protocol protocol) { return protocol >= Protocol::redis; }
constexpr bool is_store(Protocol protocol) { return has_operation(protocol) && !is_setup(protocol); }
constexpr bool has_statements(Protocol protocol) {
  return protocol == Protocol::postgresql || protocol == Protocol::mysql;
}
constexpr bool is_messaging(Protocol protocol) { return is_store(protocol) && protocol >= Protocol::nats; }
// Calls whose machine says which message answers which.
constexpr bool has_numbers(Protocol protocol) { return is_messaging(protocol); }

// Header fields in order, in one allocation: names and values are slices of text.
class Headers {
 public:
  struct Field {
    std::string_view name, value;
    bool operator==(const Field&) const = default;
  };
  void add(std::string_view name, std::string_view value);
  void clear();
  void swap(Headers& other) noexcept {
    text_.swap(other.text_);
    slices_.swap(other.slices_);
  }
  std::size_t size() const { return slices_.size(); }
  Field operator[](std::size_t i) const {
    const Slice& s = slices_[i];
    const std::string_view text = text_;
    return {text.substr(s.begin, s.name), text.substr(s.begin + s.name, s.value)};
  }
  // The value of the first field of that name (ASCII case-insensitive).
  std::optional<std::string_view> find(std::string_view name) const;
  bool operator==(const Headers&) const = default;

 private:
  struct Slice {
    std::uint32_t begin, name, value;
    bool operator==(const Slice&) const = default;
  };
  std::string text_;
  std::vector<Slice> slices_;
};

enum class MessageKind : std::uint8_t {
  request = 0,
  response = 1,
  interim = 2,    // 1xx other than 101
  opaque = 3,     // from here on, until the end, the connection carries something else (101, CONNECT): byte counts only
  closed = 4,     // this direction ended (end says how); sent once per direction, after its last message
  handshake = 5,  // the connection carries TLS: `tls`; once, before it is closed. No exchange comes of it
};

enum class Ending : std::uint8_t {
  complete = 0,   // its last byte is known
  truncated = 1,  // the connection ended (fin before Content-Length, reset, error) before the message did
  cut_off = 2,    // the recording ended first
  lost = 3,       // its end lies in lost or uncaptured bytes and could not be inferred
};

// Instants of a stretch of bytes. For direction out there is no arrival: arrived_* stay kNoTime.
struct Instants {
  Time first_arrived = kNoTime, last_arrived = kNoTime;
  Time first_done = kNoTime, last_done = kNoTime;  // read or sent
};

// What a message is but for its texts and lists: copied as it is.
struct MessageFacts {
  MessageKind kind = MessageKind::request;
  ConnectionId connection = 0;
  Direction direction = Direction::in;
  Protocol protocol = Protocol::unknown;
  std::uint32_t stream = 0;                 // HTTP/2, gRPC; 0 for HTTP/1
  std::uint64_t begin = 0, end = 0;         // stream offsets of its first byte and one past its last known byte
  int status = 0;                           // response; 0: unknown
  bool headers_complete = false;            // false: fields may be missing
  std::optional<std::uint64_t> body_bytes;  // after transfer decoding; unset: unknown
  Instants instants;                        // of the whole message
  Time seen_from = kNoTime;  // its beginning was not seen: then this is known of its first instants, which are unknown
  Time head_done = kNoTime;  // last byte of the head read or sent
  Time body_arrived = kNoTime;       // direction in: first byte of the body arrived
  Thread first_thread, last_thread;  // who read or sent its first and last byte
  Ending ending = Ending::complete;
  End closed = End::none;    // kind closed, or what truncated it
  Time closed_at = kNoTime;  // when that was
  // Kind closed, of TLS: what was sent behind the handshake, encrypted; 0: no more than an alert.
  std::uint64_t encrypted_bytes = 0;
  bool close_after = false;        // the connection does not go on after it
  bool expects_continue = false;   // request
  bool unanswered = false;         // request of a store: no response will come
  bool answers_unknown = false;    // response to a request that the recording did not see
  std::uint64_t opaque_bytes = 0;  // kind opaque: bytes of this direction, sent when they are known (at the end)
  // HTTP/2 only. A stream has one request and one final response, in either order; a response without status,
  // fields and instants says how a stream ended that was never answered. headers hold :authority and :scheme as sent.
  std::uint32_t unknown_fields =
      0;  // fields whose name or value could not be known (header compression); not in headers
  std::optional<StreamReset> reset;  // what broke the stream off; kind closed: the connection's last GOAWAY
  BehindOthers behind_others;
  std::optional<StreamLimit> stream_limit;  // request, at the client
  bool pushed = false;  // the request is a PUSH_PROMISE: begin, end and instants are those of the promise
  Taints taints = 0;
};

// What a call of a store (a database, a cache, a queue) says beyond names, times and bytes. Its operation is the method
// of the message, and what it is done to is the target: of SQL, the statement behind its first word, with literals
// replaced; of others, the shape of the key.
struct StoreFacts {
  std::string error_code;  // 42P01, WRONGTYPE; empty: none
  std::int64_t rows = -1;  // returned or changed; -1: not said
  bool failed = false;     // response: an error
  bool by_server = false;  // `failed`: not for what was asked
  bool waits = false;      // request: it asked to wait
  // Request: what no other message of its broker has, the same wherever it is seen; 0: nothing is known.
  std::uint64_t message = 0;
  // A delivery, and the answer to what published: the place of the message in what its broker keeps, and when it came
  // there by the broker's clock (ns since 1970). 0: nothing is known. Messages of other stores may have the same place.
  std::uint64_t stored = 0;
  std::int64_t stored_at = 0;
  bool operator==(const StoreFacts&) const = default;
};

struct Message : MessageFacts {
  std::string method, target;  // request; empty: not captured
  Headers headers, trailers;
  std::shared_ptr<const TlsFacts> tls;  // kind handshake; shared, so that other kinds do not carry its size about
  std::optional<GrpcFacts> grpc;        // also of HTTP/1: protocol grpc, grpc_web
  std::optional<StoreFacts> store;      // protocols of stores
  WindowWaits window_waits;
};

// Back to a fresh message, but for the memory of its texts.
void renew(Message& message);
// What `from` is becomes `to`; what is left in `from` is not defined but for the memory of its texts, which is that of
// `to`.
void hand_over(Message& from, Message& to);

}  // namespace tailcap::model
