#include "analyze/pipeline/request/surroundings.h"

#include <algorithm>
#include <variant>

namespace tailcap::pipeline {

using formats::known;
using formats::Time;
using Kind = model::ConnectionEvent::Kind;

namespace {

constexpr std::size_t kMaxWaits = 10'000;  // kept of one request
constexpr std::size_t kMaxConnectionEvents = 1'000;
// Until its exchange is known.
constexpr std::size_t kMaxHappened = 1u << 20, kMaxHeld = 1u << 16, kMaxHeldBytes = 16u << 20;
// A segment of its head may have come before its first byte.
constexpr formats::Duration kBefore{1'000'000'000};

}  // namespace

RequestSurroundings::RequestSurroundings(const model::Request& row) : row_(row), from_(row.start) {}

void RequestSurroundings::push(const formats::Event& event) {
  if (!known(from_)) return;
  if (binding_)
    binding_->push(event);
  else
    hold(event);
  std::visit([&](const auto& body) { take(event, body); }, event.body);
}

void RequestSurroundings::hold(const formats::Event& event) {
  if (row_.trace_format == model::TraceFormat::none || socket_ == 0 || event.time < from_ - kBefore) return;
  const auto* arrival = std::get_if<formats::Arrival>(&event.body);
  const auto* io = std::get_if<formats::Io>(&event.body);
  if (!(arrival && arrival->socket == socket_) && !(io && io->socket == socket_)) return;
  if (held_.size() >= kMaxHeld || held_bytes_ >= kMaxHeldBytes) return;
  Held& held = held_.emplace_back(event);
  if (!io) return;
  held.head = io->head;
  held.tail = io->tail;
  held_bytes_ += held.head.size() + held.tail.size();
}

void RequestSurroundings::settle(const model::Exchange& exchange, const model::Connection& connection) {
  Time to = from_;
  if (row_.has_duration) to = row_.start + row_.duration;
  for (const auto& i : {exchange.request, exchange.response})
    for (const Time t : {i.first_arrived, i.last_arrived, i.first_done, i.last_done}) to = std::max(to, t);
  to_ = to;
  if (binding_) return;
  binding_.emplace(row_, exchange, connection);
  for (Held& held : held_) {
    if (auto* io = std::get_if<formats::Io>(&held.event.body)) {
      io->head = held.head;
      io->tail = held.tail;
    }
    binding_->push(held.event);
  }
  held_.clear();
}

void RequestSurroundings::happened(const formats::Event& event, Kind kind, formats::SocketId socket, Time since,
                                   std::uint32_t length, std::int32_t error) {
  if (since > to_ || event.time < from_) return;
  if (events_.size() == kMaxHappened)
    ++dropped_events_;
  else
    events_.push_back({{kind, event.time, length, error}, socket, since});
}

template <class Body>
void RequestSurroundings::take(const formats::Event& event, const Body& body) {
  using namespace formats;
  if constexpr (std::is_same_v<Body, OffCpu>) {
    if (row_.tid == 0 || event.thread.tid != row_.tid || body.left >= to_ || event.time <= from_) return;
    if (waits_.size() == kMaxHappened)
      ++dropped_waits_;
    else
      waits_.push_back({body.left, body.runnable, event.time, body.waker, body.state, body.syscall, body.argument0,
                        body.argument1, body.missed, body.woken_in, body.timed});
  } else if constexpr (std::is_same_v<Body, Retransmit>) {
    happened(event, Kind::retransmit, body.socket, event.time, body.length, 0);
  } else if constexpr (std::is_same_v<Body, Reset>) {
    happened(event, body.direction == Direction::in ? Kind::reset_received : Kind::reset_sent, body.socket, event.time,
             0, 0);
  } else if constexpr (std::is_same_v<Body, StateChange>) {
    if (body.error != 0) happened(event, Kind::state_error, body.socket, event.time, 0, body.error);
  } else if constexpr (std::is_same_v<Body, Loss>) {
    // A loss concerns the whole recording: the threads of lost events are not known.
    happened(event, Kind::loss, 0, body.since,
             static_cast<std::uint32_t>(std::min<std::uint64_t>(body.count, UINT32_MAX)), 0);
  } else if constexpr (std::is_same_v<Body, Damage>) {
    happened(event, Kind::loss, 0, body.since, 0, 0);
  }
}

void RequestSurroundings::fill(model::RequestDetail& d) {
  settle(d.exchange, d.connection);
  d.waits_left_out = dropped_waits_;
  d.events_left_out = dropped_events_;
  for (const model::ThreadWait& wait : waits_) {
    if (wait.left >= to_) continue;
    if (d.waits.size() == kMaxWaits)
      ++d.waits_left_out;
    else
      d.waits.push_back(wait);
  }
  for (const Happened& h : events_) {
    if (h.since > to_ || (h.event.kind != Kind::loss && h.socket != d.connection.socket)) continue;
    if (d.events.size() == kMaxConnectionEvents)
      ++d.events_left_out;
    else
      d.events.push_back(h.event);
  }
  d.bound = binding_->find();
  std::ranges::stable_sort(d.waits, {}, &model::ThreadWait::left);
  std::ranges::stable_sort(d.events, {}, &model::ConnectionEvent::time);
}

}  // namespace tailcap::pipeline
