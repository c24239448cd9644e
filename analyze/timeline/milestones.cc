#include "analyze/timeline/milestones.h"

#include <algorithm>
#include <utility>

namespace tailcap::timeline {
namespace {

using formats::known;
using formats::nanoseconds;
using formats::Time;
using model::Exchange;
using model::Outcome;
using model::Role;
using model::Taint;

std::int64_t at(Time t) { return nanoseconds(t); }

// The time when the last byte moved is known: not just the last one that was seen.
bool ended(const Exchange& e) {
  if (!known(e.response.last_done)) return false;
  if (e.complete) return true;
  switch (e.outcome) {
    case Outcome::ok:
    case Outcome::client_error:
    case Outcome::server_error:
      // The response's end is known exactly when its body's length is.
      return e.response_bytes.has_value() && !model::has(e.taints, Taint::cut_off);
    case Outcome::unknown:
      // A stream's end is a flag of its own: it can be known where the status is not (header compression).
      return e.stream != 0 && e.response_bytes.has_value() && !model::has(e.taints, Taint::cut_off);
    case Outcome::upgraded:
      return true;
    default:
      return false;
  }
}

// Walks forward through the milestones; none lies before the one in front of it or after the end.
class Walk {
 public:
  Walk(std::int64_t start, std::int64_t end) : now_(start), end_(end) {}
  // The time from the milestone before this one to this one.
  std::int64_t to(std::int64_t t) {
    const std::int64_t next = std::clamp(t, now_, end_);
    return next - std::exchange(now_, next);
  }
  std::int64_t to(Time t) { return known(t) ? to(at(t)) : 0; }

 private:
  std::int64_t now_, end_;
};

std::array<std::int64_t, 6> server_phases(const Exchange& e, std::int64_t start, std::int64_t end) {
  // Everything until the response begins lies before it, whatever was still read afterwards.
  const std::int64_t answer = std::clamp(at(e.response.first_done), start, end);
  Walk walk(start, answer);
  const std::int64_t arrive = walk.to(e.request.first_done);
  std::int64_t read = 0, wait_continue = 0;
  if (known(e.continue_done)) {
    read = walk.to(e.request_head_done);
    wait_continue = walk.to(e.continue_done);
  }
  read += walk.to(e.request.last_done);
  const std::int64_t pipelined = walk.to(e.predecessor_done);
  const std::int64_t work = walk.to(answer);
  return {arrive, read, wait_continue, pipelined, work, end - answer};
}

std::array<std::int64_t, 6> client_phases(const Exchange& e, std::int64_t start, std::int64_t end) {
  const std::int64_t taken = std::clamp(at(e.response.first_done), start, end);
  const std::int64_t arrived =
      known(e.response.first_arrived) ? std::clamp(at(e.response.first_arrived), start, taken) : taken;
  Walk walk(start, arrived);
  std::int64_t send = 0, wait_continue = 0;
  if (known(e.continue_done)) {
    send = walk.to(e.request_head_done);
    wait_continue = walk.to(e.continue_done);
  }
  send += walk.to(e.request.last_done);
  const std::int64_t pipelined = walk.to(e.predecessor_done);
  const std::int64_t ttfb = walk.to(arrived);
  return {send, wait_continue, pipelined, ttfb, taken - arrived, end - taken};
}

// From the first instant to the last that is known of it.
std::optional<std::int64_t> seen(const Exchange& e) {
  std::optional<std::int64_t> from, to;
  for (const Time t : {e.seen_from, e.request.first_arrived, e.request.first_done, e.request.last_done,
                       e.response.first_arrived, e.response.first_done, e.response.last_done}) {
    if (!known(t)) continue;
    from = std::min(from.value_or(at(t)), at(t));
    to = std::max(to.value_or(at(t)), at(t));
  }
  if (!from || *to == *from) return std::nullopt;  // a single instant says nothing
  return *to - *from;
}

// Until when it lasted, at least, where it broke off.
Time broke_off_at(const Exchange& e) {
  if (e.outcome != Outcome::truncated && e.outcome != Outcome::reset && e.outcome != Outcome::no_response &&
      e.outcome != Outcome::cancelled)
    return model::kNoTime;
  if (e.reset && known(e.reset->at)) return e.reset->at;
  if (!known(e.broken_at)) return e.response.last_done;
  return known(e.response.last_done) ? std::max(e.broken_at, e.response.last_done) : e.broken_at;
}

}  // namespace

Milestones milestones(const Exchange& e) {
  Milestones m;
  // The first byte seen is not its beginning.
  if (known(e.seen_from) || (model::has(e.taints, Taint::began_before) && !e.complete)) {
    m.at_least = seen(e);
    return m;
  }
  const bool server = e.role == Role::server;
  const Time response_first =
      !server && known(e.response.first_arrived) ? e.response.first_arrived : e.response.first_done;
  if (server) {
    m.start = at(known(e.request.first_arrived) ? e.request.first_arrived : e.request.first_done);
    if (known(e.request.first_done)) {
      if (!known(e.request.first_arrived)) m.taints = m.taints | Taint::arrival_unknown;
      if (m.start > at(e.request.first_done)) {
        m.start = at(e.request.first_done);
        m.reordered = true;
      }
    }
  } else if (known(e.request.first_done)) {
    m.start = at(e.request.first_done);
    // Stamped when the send was done: on the same host the answer can be there before.
    if (known(response_first)) m.start = std::min(m.start, at(response_first));
    if (known(e.response.first_done) && !known(e.response.first_arrived)) m.taints = m.taints | Taint::arrival_unknown;
  }
  if (m.start <= 0) {
    m.start = 0;
    return m;
  }
  if (known(response_first)) {
    if (at(response_first) < m.start) m.reordered = true;
    m.first_byte = std::max<std::int64_t>(0, at(response_first) - m.start);
  }
  if (!ended(e)) {
    if (const Time broke = broke_off_at(e); known(broke)) m.at_least = std::max<std::int64_t>(0, at(broke) - m.start);
    return m;
  }
  std::int64_t end = at(e.response.last_done);
  if (end < m.start) {
    end = m.start;
    m.reordered = true;
  }
  m.end = end;
  if (known(e.response.first_done) && known(e.request.first_done) && known(e.request.last_done))
    m.phases = server ? server_phases(e, m.start, end) : client_phases(e, m.start, end);
  return m;
}

}  // namespace tailcap::timeline
