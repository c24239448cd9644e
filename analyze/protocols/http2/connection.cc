#include "analyze/protocols/http2/connection.h"

#include <algorithm>
#include <utility>

#include "analyze/protocols/http2/sides.h"

namespace tailcap::protocols::http2 {

using formats::known;
using model::Direction;
using model::End;
using model::Ending;
using model::Finding;
using model::Taint;

Http2Connection::Http2Connection(model::ConnectionId id, std::optional<Direction> client, Held& held)
    : id_(id), client_(client), held_(held), windows_followed_(client.has_value()) {
  if (client)
    windows_[0] = windows_[1] = FlowWindow(kInitialWindow);
  else
    late_ = std::make_unique<Http2LateStart>();
}

Http2Connection::~Http2Connection() {
  for (const auto& [id, stream] : streams_) held_.text -= stream.request.text() + stream.response.text();
  held_.streams -= streams_.size();
  held_.text -= table_size_[0] + table_size_[1];
}

void Http2Connection::upgraded(std::string_view settings) {
  Sender& client = sender(*client_);
  client.settings.apply(settings_of_upgrade(settings));
  highest_ = std::max(highest_, 1u);
  places_.opened(model::kNoTime);
  Stream& stream = fresh(1);
  stream.request.finish(Ending::complete, End::none);
  stream.response.window = FlowWindow(client.settings.initial_window);
}

void Http2Connection::push(const model::ByteRun& run, Messages& out, model::Findings& findings) {
  const std::size_t d = index(run.direction);
  Sender& s = senders_[d];
  if (!begun_[d]) {
    begun_[d] = true;
    if (client_ && run.first_known) {
      s.start(asks(run.direction));
    } else {
      s.start_late();
      lost_once_[d] = true;
      forget_windows();
      passed_over(run.direction);
    }
  }
  if (run.gap > 0 && !s.lost()) {  // only the number of the bytes is known
    model::ByteRun gap = run;
    gap.offset -= run.gap;
    gap.length = run.gap;
    gap.gap = 0;
    gap.head = gap.tail = {};
    gap.arrivals = {};
    gap.done = model::kNoTime;
    gap.thread = {};
    gap.taints = run.taints | Taint::bytes_lost;
    feed(gap, out, findings);
  }
  if (late_) {
    late_->push(run);
    if (late_->client(false) || run.end != End::none) settle(out, findings);
  } else {
    bytes(run, out, findings);
  }
  Context c{out, findings, run};
  if (!waiting_.empty()) give_up_waiting(0, c);
  if (run.end != End::none && !ended_[d]) end(run, c);
}

void Http2Connection::settle(Messages& out, model::Findings& findings) {
  const auto client = late_ ? late_->client(true) : std::nullopt;
  if (!client) return;
  client_ = client;
  for (const Direction d : {*client, other(*client)}) {
    sender(d).resync = late_->take_search(d);
    const std::vector<HeldRun> runs = late_->take_runs(d);
    if (runs.empty()) continue;
    begun_[index(d)] = true;
    sender(d).found_border();
    findings.add(Finding::resynchronised);
    for (const HeldRun& held : runs) {
      model::ByteRun again = held.view();
      again.gap = 0;
      bytes(again, out, findings);
    }
  }
  late_.reset();
}

void Http2Connection::bytes(const model::ByteRun& run, Messages& out, model::Findings& findings) {
  Sender& s = sender(run.direction);
  if (!s.lost()) {
    feed(run, out, findings);
    return;
  }
  if (!found_again(run)) return;
  const std::vector<HeldRun> held = s.resync.take();
  s.found_border();
  findings.add(Finding::resynchronised);
  for (const HeldRun& h : held) {
    model::ByteRun again = h.view();
    again.gap = 0;
    again.end = End::none;
    bytes(again, out, findings);
  }
}

void Http2Connection::feed(const model::ByteRun& run, Messages& out, model::Findings& findings) {
  Sender& s = sender(run.direction);
  Context c{out, findings, run};
  Cursor cursor(run);
  SenderItem item;
  while (s.next(cursor, item)) act(item, c);
}

void Http2Connection::act(const SenderItem& item, Context& c) {
  switch (item.kind) {
    case SenderItem::Kind::headers:
      headers(item, c);
      break;
    case SenderItem::Kind::promise:
      promise(item, c);
      break;
    case SenderItem::Kind::data:
      data(item, c);
      break;
    case SenderItem::Kind::control:
      if (item.frame.type == FrameType::rst_stream) reset(item, c);
      if (item.frame.type == FrameType::goaway) goaway(item, c);
      if (item.frame.type == FrameType::settings) settings(item, c);
      if (item.frame.type == FrameType::window_update) window_update(item, c);
      break;
    case SenderItem::Kind::lost:
      lost(item, c);
      break;
  }
}

Stream& Http2Connection::fresh(std::uint32_t id) {
  Http2Streams::iterator at;
  if (held_.spare.empty()) {
    at = streams_.try_emplace(id).first;
  } else {
    held_.spare.back().key() = id;
    at = streams_.insert(std::move(held_.spare.back())).position;
    held_.spare.pop_back();
  }
  at->second.begin(id_, *client_, id);
  ++held_.streams;
  return at->second;
}

Stream& Http2Connection::open(std::uint32_t id, Context& c) {
  make_room(c);
  Stream& stream = fresh(id);
  if (id % 2 != 0) highest_ = std::max(highest_, id);
  for (Half* half : {&stream.request, &stream.response}) {
    const std::size_t d = index(half->message.direction);
    half->waits_seen = waits_count_[d];
    if (begun_[d] && senders_[d].lost()) half->lose(why_unseen_[d]);
  }
  if (windows_followed_) {
    stream.request.window = FlowWindow(sender(other(*client_)).settings.initial_window);
    stream.response.window = FlowWindow(sender(*client_).settings.initial_window);
  }
  return stream;
}

Stream* Http2Connection::find(std::uint32_t id, Direction d, Context& c) {
  if (const auto it = streams_.find(id); it != streams_.end()) return &it->second;
  if (id % 2 == 0) return nullptr;  // pushed without a seen promise; or over
  if (std::find(closed_.begin(), closed_.end(), id) != closed_.end()) return nullptr;
  const bool fresh = id > highest_;
  // Ids only grow. A lower one that is not open is over, unless its beginning may have been lost.
  const std::size_t client = index(*client_);
  if (!fresh && !lost_once_[client]) return nullptr;
  Stream& stream = open(id, c);
  // A head clears these up; without one, more may have come before.
  const std::size_t server = 1 - client;
  if (lost_once_[client]) stream.request.lose(why_unseen_[client]);
  if (lost_once_[server] && (!fresh || index(d) == server)) stream.response.lose(why_unseen_[server]);
  return &stream;
}

void Http2Connection::headers(const SenderItem& item, Context& c) {
  const Direction d = c.run.direction;
  Sender& s = sender(d);
  hold_table(d);
  const Glance seen = glance(s.fields, item.block_step);
  if (item.block_step == hpack::Step::invalid) c.findings.add(Finding::malformed_message);
  if (item.block_step == hpack::Step::cut) c.findings.add(Finding::head_cut);
  Stream* stream = find(item.frame.stream, d, c);
  if (stream == nullptr) return;
  const bool is_request = asks(d);
  Half& half = stream->half(is_request);
  if (half.done()) return;
  const bool end_stream = item.frame.has(kEndStream);
  // In a stream whose beginning may have been lost, a block without any pseudo-field is its end.
  const bool says_head = is_request ? seen.request : seen.response;
  const bool head_again = half.has_head() && !is_request && half.message.status == 0 && seen.status >= 200;
  const std::size_t before = half.text();
  if (is_request && item.frame.stream > highest_asked_) {
    highest_asked_ = item.frame.stream;
    if (!waiting_.empty()) give_up_waiting(highest_asked_, c);
  }
  if (is_request && !half.has_head() && d == Direction::out) {
    const auto fact = places_.opened(item.begin.done);
    if (fact && windows_followed_) half.message.stream_limit = fact;
  }
  if (!is_request && seen.status >= 100 && seen.status < 200 && !end_stream &&
      (!half.has_head() || half.message.status == 0)) {
    model::Message m = interim_message(half, item, s.fields, c.run);
    m.answers_unknown = stream->request.lossy() && !stream->request.begun();
    c.out.take(m);
    return;
  }
  if (half.has_head() && !head_again) {
    half.trailers(item, s.fields, c.run);
    if (!end_stream) half.message.taints = half.message.taints | Taint::malformed;
  } else if (!says_head && seen.all_names && half.lossy()) {
    half.trailers(item, s.fields, c.run);
  } else {
    if (head_again) half.forget_fields();  // the earlier block was an interim response
    // A block of a request that does not end the stream is no trailers either.
    half.head(item, s.fields, c.run, says_head || (is_request && !end_stream));
  }
  hold_text(half, before, c);
  take_turn(half, item, model::kNoTime, c);
  stream->half(!is_request).grpc_peer = half.message.protocol == model::Protocol::grpc;
  if (end_stream) finish(item.frame.stream, *stream, half, Ending::complete, End::none, c);
  if (!is_request) return;
  request_came(item.frame.stream, c);
  refuse_if_above(item.frame.stream, c);
}

// A pushed request is sent by no client: its instants are those of the promise.
void Http2Connection::promise(const SenderItem& item, Context& c) {
  const Direction d = c.run.direction;
  hold_table(d);  // for its work on the header table, whatever the result
  if (!client_ || asks(d) || item.promised == 0 || item.promised % 2 != 0 || streams_.contains(item.promised)) return;
  SenderItem block = item;
  if (d == Direction::out) {
    for (Stamp* stamp : {&block.begin, &block.end}) stamp->arrived = stamp->done;
  } else {
    for (Stamp* stamp : {&block.begin, &block.end})
      if (known(stamp->arrived)) stamp->done = stamp->arrived;
  }
  Stream& stream = open(item.promised, c);
  Half& request = stream.request;
  request.message.pushed = true;
  const std::size_t before = request.text();
  request.head(block, sender(d).fields, c.run, true);
  hold_text(request, before, c);
  stream.response.grpc_peer = request.message.protocol == model::Protocol::grpc;
  finish(item.promised, stream, request, Ending::complete, End::none, c);
}

void Http2Connection::hold_text(Half& half, std::size_t before, Context& c) {
  held_.text += half.text();
  held_.text -= before;
  if (held_.text <= Held::kMaxText) return;
  held_.text -= half.text();
  half.forget_fields();
  half.message.taints = half.message.taints | Taint::payload_cut;
  c.findings.add(Finding::head_cut);
}

void Http2Connection::hold_table(Direction d) {
  std::size_t& counted = table_size_[index(d)];
  held_.text -= counted;
  if (held_.text + sender(d).table_size() > Held::kMaxText) sender(d).drop_table();
  held_.text += counted = sender(d).table_size();
}

void Http2Connection::data(const SenderItem& item, Context& c) {
  const Direction d = c.run.direction;
  Stream* stream = find(item.frame.stream, d, c);
  Half* half = stream ? &stream->half(asks(d)) : nullptr;
  if (half && half->done()) half = nullptr;
  if (half) {
    half->data(item, c.run);
    if (item.last) spend(*half, item, c);
    if (asks(d) && stream->answer_waits) release_answer(*stream, c);
  } else if (item.last) {
    windows_[index(d)].spend(item.frame.length, model::kNoTime);
    overtake(item.frame.stream, item, c);
    turns_[index(d)].sent(item.frame.stream, item.frame.length, at(item.end));
  }
  if (half && item.last && item.frame.has(kEndStream))
    finish(item.frame.stream, *stream, *half, Ending::complete, End::none, c);
}

void Http2Connection::finish(std::uint32_t id, Stream& stream, Half& half, Ending ending, End closed, Context& c) {
  const bool is_request = &half == &stream.request;
  const bool unseen = !stream.request.begun() && !stream.request.done();
  if (!is_request && request_may_come(id, stream)) return let_wait(id, stream, ending, closed, c);
  if (!is_request && unseen && stream.request.lossy()) {
    half.message.answers_unknown = true;
    half.message.taints = half.message.taints | why_unseen_[index(*client_)];
  }
  held_.text -= half.text();
  half.finish(ending, closed);
  if (closed != End::none) half.message.closed_at = c.run.done;
  if (half.begun() || !is_request) c.out.take(half.message);
  half.forget_fields();
  if (is_request && stream.answer_waits) release_answer(stream, c);
  if (!is_request && unseen && stream.request.lossy()) {  // its request will not be seen
    stream.request.finish(Ending::lost, End::none);
    remember_closed(id);
  }
  forget_if_done(id, c.run.done);
}

void Http2Connection::forget_if_done(std::uint32_t id, model::Time when) {
  const auto it = streams_.find(id);
  if (it == streams_.end() || !it->second.request.done() || !it->second.response.done()) return;
  if (id % 2 != 0) places_.closed(when);
  Http2Streams::node_type over = streams_.extract(it);
  if (held_.spare.size() < Held::kMaxSpare) held_.spare.push_back(std::move(over));
  --held_.streams;
}

void Http2Connection::remember_closed(std::uint32_t id) {
  if (closed_.size() < kMaxClosed) {
    closed_.push_back(id);
  } else {
    closed_[closed_next_++ % kMaxClosed] = id;
  }
}

void Http2Connection::make_room(Context& c) {
  if (streams_.empty() || (streams_.size() < kMaxStreams && held_.streams < Held::kMaxStreams)) return;
  const auto it = streams_.begin();  // the oldest
  const std::uint32_t id = it->first;
  c.findings.add(Finding::streams_given_up);
  remember_closed(id);
  for (const bool is_request : {true, false}) {
    const auto at = streams_.find(id);
    if (at == streams_.end()) return;
    Half& half = at->second.half(is_request);
    if (!half.done()) finish(id, at->second, half, Ending::lost, End::none, c);
  }
}

}  // namespace tailcap::protocols::http2
