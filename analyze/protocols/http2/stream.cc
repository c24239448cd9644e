#include "analyze/protocols/http2/stream.h"

#include <utility>

#include "analyze/protocols/grpc/call.h"

namespace tailcap::protocols::http2 {

using formats::known;
using model::Direction;
using model::Ending;
using model::MessageKind;
using model::Taint;

namespace {

// Three digits, or 0.
int parse_status(std::string_view text) {
  if (text.size() != 3) return 0;
  int status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return 0;
    status = status * 10 + (c - '0');
  }
  return status >= 100 ? status : 0;
}

// Regular fields go to `to`; pseudo-fields and other special fields go into the message.
void read_fields(const hpack::FieldList& fields, hpack::Step step, model::Message& m, model::Headers& to) {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const hpack::HeaderField f = fields[i];
    if (!f.known()) {
      ++m.unknown_fields;
      continue;
    }
    if (&to == &m.headers && !f.name.empty() && f.name[0] == ':') {
      if (f.name == ":method") {
        m.method = f.value;
        continue;
      }
      if (f.name == ":path") {
        m.target = f.value;
        continue;
      }
      if (f.name == ":status") {
        m.status = parse_status(f.value);
        if (m.status == 0) m.taints = m.taints | Taint::malformed;
        continue;
      }
    }
    to.add(f.name, f.value);
  }
  if (m.unknown_fields > 0) m.taints = m.taints | Taint::fields_unknown;
  if (step == hpack::Step::invalid) m.taints = m.taints | Taint::malformed;
  if (step == hpack::Step::cut || fields.dropped() > 0) m.taints = m.taints | Taint::payload_cut;
}

void add_begin(model::Message& m, const Stamp& begin) {
  m.begin = begin.offset;
  m.first_thread = begin.thread;
  m.instants.first_done = begin.done;
  if (m.direction != Direction::in) return;
  m.instants.first_arrived = begin.arrived;
  if (!known(begin.arrived)) m.taints = m.taints | Taint::arrival_unknown;
}

void add_end(model::Message& m, const Stamp& end) {
  m.end = end.offset + 1;
  m.last_thread = end.thread;
  m.instants.last_done = end.done;
  if (m.direction == Direction::in) m.instants.last_arrived = end.arrived;
}

}  // namespace

Glance glance(const hpack::FieldList& fields, hpack::Step step) {
  Glance g;
  g.all_names = step == hpack::Step::done && fields.dropped() == 0;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const hpack::HeaderField f = fields[i];
    g.all_names = g.all_names && f.name_known;
    if (f.name.empty() || f.name[0] != ':') continue;
    if (f.name == ":status") {
      g.response = true;
      g.status = parse_status(f.value);
    } else {
      g.request = true;
    }
  }
  return g;
}

model::Message interim_message(const Half& half, const SenderItem& block, const hpack::FieldList& fields,
                               const model::ByteRun& run) {
  model::Message m;
  m.kind = MessageKind::interim;
  m.connection = half.message.connection;
  m.direction = half.message.direction;
  m.stream = half.message.stream;
  m.protocol = model::Protocol::http2;
  m.taints |= run.taints;
  read_fields(fields, block.block_step, m, m.headers);
  m.headers_complete = block.block_step == hpack::Step::done && m.unknown_fields == 0 && fields.dropped() == 0;
  add_begin(m, block.begin);
  add_end(m, block.end);
  m.head_done = block.end.done;
  return m;
}

void Half::begin(MessageKind kind, model::ConnectionId connection, Direction direction, std::uint32_t stream) {
  static_cast<HalfState&>(*this) = HalfState();
  model::renew(message);
  message.kind = kind;
  message.connection = connection;
  message.direction = direction;
  message.stream = stream;
  message.protocol = model::Protocol::http2;
}

void Stream::begin(model::ConnectionId connection, Direction client, std::uint32_t id) {
  static_cast<StreamState&>(*this) = StreamState();
  request.begin(MessageKind::request, connection, client, id);
  response.begin(MessageKind::response, connection, client == Direction::in ? Direction::out : Direction::in, id);
}

void Half::touch(const SenderItem& item, const model::ByteRun& run) {
  if (!begun_) {
    begun_ = true;
    add_begin(message, item.begin);
    if (lossy_) {
      lose_body();
      lose_begin();
    }
  }
  message.taints |= run.taints;
  add_end(message, item.end);
}

void Half::head(const SenderItem& block, const hpack::FieldList& fields, const model::ByteRun& run, bool certain) {
  if (certain && !begun_) lossy_ = false;
  touch(block, run);
  head_ = true;
  read_fields(fields, block.block_step, message, message.headers);
  message.headers_complete =
      block.block_step == hpack::Step::done && message.unknown_fields == 0 && fields.dropped() == 0;
  message.head_done = block.end.done;
  if (message.headers_complete && (message.kind == MessageKind::request ? message.method.empty() : message.status == 0))
    message.taints = message.taints | Taint::malformed;
  if (const auto expect = message.headers.find("expect")) message.expects_continue = *expect == "100-continue";
  text_ = fields.text();
  decide_grpc();
}

void Half::trailers(const SenderItem& block, const hpack::FieldList& fields, const model::ByteRun& run) {
  touch(block, run);
  read_fields(fields, block.block_step, message, message.trailers);
  text_ += fields.text();
}

void Half::decide_grpc() {
  const auto type = message.headers.find("content-type");
  if (!type && !message.headers_complete) return;  // the content type may be among the unknown fields
  maybe_grpc_ = false;
  if (!type || !grpc::is_grpc(*type)) return;
  message.protocol = model::Protocol::grpc;
}

void Half::data(const SenderItem& part, const model::ByteRun& run) {
  const bool first = body_ == 0;
  touch(part, run);
  if (part.length > 0 && first && message.direction == Direction::in)
    message.body_arrived = arrival_of(run, part.offset);
  body_ += part.length;
  if (!part.body_known) body_exact_ = false;
  if (!maybe_grpc_ && message.protocol != model::Protocol::grpc) return;
  if (!part.body_known) framing_.lose(facts_);
  framing_.push(run, part.offset, part.length, part.payload, facts_);
}

void Half::lose(model::Taints why) {
  if (done_) return;
  lossy_ = true;
  why_ = why;
  if (begun_) lose_body();
}

// The first data seen may not be the message's beginning.
void Half::lose_begin() {
  model::Instants& i = message.instants;
  message.seen_from = known(i.first_arrived) ? i.first_arrived : i.first_done;
  i.first_arrived = i.first_done = model::kNoTime;
}

void Half::lose_body() {
  body_exact_ = false;
  framing_.lose(facts_);
}

void Half::finish(Ending ending, model::End closed) {
  done_ = true;
  if (lossy_) message.taints = message.taints | why_;
  message.ending = ending;
  message.closed = closed;
  message.window_waits.known = window.followed();
  // The bytes of a body that broke off are known; those of one that was going on, or whose end is lost, are not.
  if (begun_ && body_exact_ && (ending == Ending::complete || ending == Ending::truncated)) message.body_bytes = body_;
  if (ending == Ending::lost) message.instants.last_done = message.instants.last_arrived = model::kNoTime;
  // Its content type is not known, but the other message's is, or it ends as only a call does.
  if (maybe_grpc_ && begun_ && (grpc_peer || message.trailers.find("grpc-status")))
    message.protocol = model::Protocol::grpc;
  if (message.protocol != model::Protocol::grpc) return;
  framing_.finish(facts_);
  if (message.kind == MessageKind::response) {
    facts_.trailers_only = ending == Ending::complete && message.trailers.size() == 0 && body_ == 0 &&
                           message.headers_complete && message.headers.find("grpc-status").has_value();
    // A head without trailers is where the status is when there is nothing else.
    grpc::read_status(message.trailers.size() == 0 ? message.headers : message.trailers, facts_);
  } else {
    grpc::read_request(message, facts_);
  }
  message.grpc = std::move(facts_);
}

void Half::forget_fields() {
  message.headers.clear();
  message.trailers.clear();
  message.headers_complete = false;
  message.unknown_fields = 0;
  text_ = 0;
}

}  // namespace tailcap::protocols::http2
