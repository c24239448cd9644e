// The frames that speak about streams and the connection instead of carrying messages.
#include <algorithm>

#include "analyze/protocols/http2/connection.h"
#include "analyze/protocols/http2/sides.h"

namespace tailcap::protocols::http2 {

using formats::known;
using model::Direction;
using model::End;
using model::Ending;
using model::Finding;
using model::Taint;

namespace {

constexpr std::uint32_t kRefusedStream = 7;  // RFC 9113, section 7

}  // namespace

void Http2Connection::reset(const SenderItem& item, Context& c) {
  const std::uint32_t id = item.frame.stream;
  const auto it = streams_.find(id);
  if (it == streams_.end()) return;
  model::StreamReset reset;
  if (item.payload.size() >= 4) reset.code = read32(item.payload);
  reset.by = c.run.direction;
  reset.unprocessed = reset.code == kRefusedStream && !asks(reset.by);
  reset.at = at(item.end);
  reset.done = item.end.done;
  Stream& stream = it->second;
  if (request_may_come(id, stream)) {  // and what it was is known then
    stream.broken_off = reset;
    if (stream.response.done()) return;
    stream.response.message.reset = reset;
    return finish(id, stream, stream.response, Ending::truncated, End::reset, c);
  }
  break_off(id, stream, reset, c);
}

void Http2Connection::break_off(std::uint32_t id, Stream& stream, const model::StreamReset& reset, Context& c) {
  remember_closed(id);
  const bool answers = !stream.response.done();
  if (stream.request.lossy() && !stream.request.begun()) stream.response.message.answers_unknown = true;
  for (Half* half : {&stream.request, &stream.response})
    if (!half->done()) half->message.reset = reset;
  if (!stream.request.done()) {
    finish(id, stream, stream.request, Ending::truncated, End::reset, c);
  }
  if (answers && streams_.contains(id)) finish(id, stream, stream.response, Ending::truncated, End::reset, c);
}

void Http2Connection::goaway(const SenderItem& item, Context& c) {
  if (asks(c.run.direction) || item.payload.size() < 8) return;  // a client's only speaks of pushes
  goaway_last_ = std::min(goaway_last_, read32(item.payload) & 0x7fffffffu);
  model::StreamReset reset;
  reset.code = read32(item.payload.substr(4));
  reset.by = c.run.direction;
  reset.goaway = reset.unprocessed = true;
  reset.at = at(item.end);
  goaway_ = reset;
  std::vector<std::uint32_t> above;
  for (auto it = streams_.upper_bound(goaway_last_); it != streams_.end(); ++it)
    if (it->first % 2 != 0) above.push_back(it->first);
  for (const std::uint32_t id : above) refuse_if_above(id, c);
}

void Http2Connection::refuse_if_above(std::uint32_t id, Context& c) {
  const auto it = streams_.find(id);
  if (!goaway_ || id <= goaway_last_ || it == streams_.end() || it->second.response.begun()) return;
  break_off(id, it->second, *goaway_, c);
}

void Http2Connection::settings(const SenderItem& item, Context& c) {
  if (item.frame.has(kAck) || item.frame.length == 0) return;
  const Direction d = c.run.direction;
  if (item.payload.empty()) {  // not captured
    sender(other(d)).allow_any();
    forget_windows();
    return;
  }
  Settings& settings = sender(d).settings;
  const std::int64_t before = settings.initial_window;
  settings.apply(item.payload);
  // They bind the other end.
  sender(other(d)).allow(settings.max_frame);
  if (windows_followed_ && client_ && *client_ == Direction::out && d == Direction::in)
    places_.limit(settings.max_streams, at(item.end));
  if (settings.initial_window == before) return;
  for (auto& [id, stream] : streams_)
    stream.half(asks(other(d))).window.grant(settings.initial_window - before, at(item.end));
}

void Http2Connection::window_update(const SenderItem& item, Context& c) {
  const Direction sends = other(c.run.direction);
  FlowWindow* window = &windows_[index(sends)];
  if (item.frame.stream != 0) {
    const auto it = streams_.find(item.frame.stream);
    if (it == streams_.end()) return;
    window = &it->second.half(asks(sends)).window;
  }
  if (item.payload.size() < 4) {
    window->forget();
  } else {
    window->grant(read32(item.payload) & 0x7fffffffu, at(item.end));
  }
}

void Http2Connection::spend(Half& half, const SenderItem& item, Context& c) {
  const std::size_t d = index(c.run.direction);
  const model::Time when = at(item.end);
  model::WindowWaits& waits = half.message.window_waits;
  model::Time room_at = model::kNoTime;
  const auto waited = [&](const model::WindowWait& wait) {
    add(waits, wait);
    room_at = std::max(room_at, wait.to);
  };
  if (auto wait = windows_[d].spend(item.frame.length, when)) {
    wait->connection = true;
    if (waits_[d].size() == kMaxWaits) waits_[d].erase(waits_[d].begin());
    waits_[d].push_back(*wait);
    ++waits_count_[d];
  }
  // The connection's waits since this message last sent DATA, those after it began.
  const std::uint64_t fresh = std::min<std::uint64_t>(waits_count_[d] - half.waits_seen, waits_[d].size());
  for (std::size_t i = waits_[d].size() - fresh; i < waits_[d].size(); ++i) {
    model::WindowWait wait = waits_[d][i];
    const model::Time begin = at({0, half.message.instants.first_arrived, half.message.instants.first_done, {}});
    if (wait.to <= begin) continue;
    wait.from = std::max(wait.from, begin);
    wait.resumed = when;
    waited(wait);
  }
  half.waits_seen = waits_count_[d];
  if (const auto wait = half.window.spend(item.frame.length, when)) waited(*wait);
  take_turn(half, item, room_at, c);
}

void Http2Connection::take_turn(Half& half, const SenderItem& item, model::Time room_at, Context& c) {
  const std::uint32_t id = item.frame.stream;
  overtake(id, item, c);
  const std::uint32_t n = item.kind == SenderItem::Kind::data ? item.frame.length : 0;
  turns_[index(c.run.direction)].sent(id, n, at(item.end), room_at, half.turn, half.message.behind_others);
}

// The stream of this frame takes the turn of the message that sent last.
void Http2Connection::overtake(std::uint32_t id, const SenderItem& item, Context& c) {
  const std::uint32_t last = turns_[index(c.run.direction)].last();
  if (last == id || last == 0) return;
  const auto it = streams_.find(last);
  if (it != streams_.end()) StreamTurns::overtaken(it->second.half(asks(c.run.direction)).turn, at(item.begin));
}

void Http2Connection::forget_windows() {
  windows_followed_ = false;
  places_.forget();
  for (FlowWindow& window : windows_) window.forget();
  for (auto& [id, stream] : streams_) {
    stream.request.window.forget();
    stream.response.window.forget();
  }
}

void Http2Connection::lost(const SenderItem& item, Context& c) {
  const Direction d = c.run.direction;
  c.findings.add(item.why == Taint::malformed ? Finding::malformed_message : Finding::frames_lost);
  // Until a request was seen, one may also have been missed for the reason of an earlier loss.
  model::Taints& why = why_unseen_[index(d)];
  if (!lost_once_[index(d)] || highest_asked_ > 0) why = 0;
  why = why | item.why;
  lost_once_[index(d)] = true;
  sender(other(d)).allow_any();  // SETTINGS may be among what was lost
  forget_windows();
  turns_[index(d)].lose();
  for (auto& [id, stream] : streams_) stream.half(asks(d)).turn = Turn();
  hold_table(d);
  passed_over(d);
}

void Http2Connection::end(const model::ByteRun& run, Context& c) {
  const Direction d = run.direction;
  ended_[index(d)] = true;
  std::vector<std::uint32_t> open;
  for (const auto& [id, stream] : streams_) open.push_back(id);
  for (const std::uint32_t id : open) {
    const auto it = streams_.find(id);
    if (it == streams_.end()) continue;
    Half& half = it->second.half(asks(d));
    // One that has not begun is answered by the end itself, unless it may have gone by unseen.
    if (half.done() || (!half.begun() && !half.lossy())) continue;
    const Ending ending = half.lossy() ? Ending::lost : run.end == End::capture ? Ending::cut_off : Ending::truncated;
    if (ending == Ending::cut_off) half.message.taints = half.message.taints | Taint::cut_off;
    finish(id, it->second, half, ending, run.end, c);
  }
  model::Message closed = closed_by(run, model::Protocol::http2);
  closed.reset = goaway_;
  c.out.take(closed);
}

}  // namespace tailcap::protocols::http2
