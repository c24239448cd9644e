// One stream: a request in one direction, a response in the other, both still being assembled.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "analyze/model/wire/message.h"
#include "analyze/protocols/grpc/framing.h"
#include "analyze/protocols/http2/sender.h"
#include "analyze/protocols/http2/turns.h"
#include "analyze/protocols/http2/windows.h"

namespace tailcap::protocols::http2 {

// What a half is beside its message.
struct HalfState {
  FlowWindow window;             // of what this half sends
  std::uint64_t waits_seen = 0;  // of the connection's waits
  Turn turn;
  bool grpc_peer = false;  // the stream's other message is gRPC's

 protected:
  bool begun_ = false, head_ = false, done_ = false, lossy_ = false;
  bool maybe_grpc_ = true;  // the content type is not known (yet)
  std::uint64_t body_ = 0;
  bool body_exact_ = true;
  model::Taints why_ = 0;  // where lossy_
  std::size_t text_ = 0;
  grpc::GrpcFraming framing_;
  model::GrpcFacts facts_;
};

// One of a stream's two messages.
class Half : public HalfState {
 public:
  // Makes it a fresh one, with memory that is used again. To be called first.
  void begin(model::MessageKind kind, model::ConnectionId connection, model::Direction direction, std::uint32_t stream);

  // A header block that belongs to this message: its head, or its trailers. Does not end the message. certain: the
  // block is the head, so no part of the message came before it. Otherwise the beginning of a message that may have
  // been lost in part is not known: it has no first instants.
  void head(const SenderItem& block, const hpack::FieldList& fields, const model::ByteRun& run, bool certain);
  void trailers(const SenderItem& block, const hpack::FieldList& fields, const model::ByteRun& run);
  void data(const SenderItem& part, const model::ByteRun& run);
  // Frames of this message may have been lost.
  void lose(model::Taints why);
  // The message gets no more data and can be taken, once.
  void finish(model::Ending ending, model::End closed);

  bool begun() const { return begun_; }
  bool has_head() const { return head_; }
  bool done() const { return done_; }
  bool lossy() const { return lossy_; }
  // The size of its header fields.
  std::size_t text() const { return text_; }
  void forget_fields();

  model::Message message;

 private:
  void touch(const SenderItem& item, const model::ByteRun& run);
  void lose_body();
  void lose_begin();
  void decide_grpc();
};

struct StreamState {
  bool answer_waits = false;                     // the response is over, its request may still come
  model::Time answered = model::kNoTime;         // since then
  std::optional<model::StreamReset> broken_off;  // meanwhile: the reset that ended the stream
};

struct Stream : StreamState {
  // Makes it a fresh one, with memory that is used again. client: the direction of the request.
  void begin(model::ConnectionId connection, model::Direction client, std::uint32_t id);

  Half request, response;
  Half& half(bool is_request) { return is_request ? request : response; }
  const Half& half(bool is_request) const { return is_request ? request : response; }
};

using Http2Streams = std::map<std::uint32_t, Stream>;

// What a block's pseudo-fields reveal before it is assigned to a message.
struct Glance {
  bool request = false, response = false;  // has pseudo-fields of one; neither: trailers, or not known
  bool all_names = true;                   // every name is known: a name that is not found is absent
  int status = 0;                          // 0: not known
};
Glance glance(const hpack::FieldList& fields, hpack::Step step);

// A 1xx response by itself.
model::Message interim_message(const Half& half, const SenderItem& block, const hpack::FieldList& fields,
                               const model::ByteRun& run);

}  // namespace tailcap::protocols::http2
