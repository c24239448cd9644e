#include "analyze/streams/direction.h"

#include <algorithm>
#include <utility>

#include "analyze/streams/unwrap.h"

namespace tailcap::streams {

using model::Direction;
using model::Finding;
using model::Taint;

namespace {

// After this many reads in a row whose arrival never came, the connection's arrivals are not waited for.
constexpr std::uint8_t kArrivalPatience = 4;
// Counted positions (UNIX) above this are nonsense; sums of two must not overflow.
constexpr std::uint64_t kPositionMask = (std::uint64_t{1} << 60) - 1;

// A crafted capture may claim more captured bytes than were moved.
void bound_payload(Piece& piece) {
  piece.head = piece.head.substr(0, std::min<std::uint64_t>(piece.head.size(), piece.length));
  const std::uint64_t rest = piece.length - piece.head.size();
  if (piece.tail.size() > rest) piece.tail.remove_prefix(piece.tail.size() - rest);
}

void drop_front(Piece& piece, std::uint64_t n) {
  piece.offset += static_cast<std::int64_t>(n);
  piece.length -= n;
  if (n < piece.head.size()) {
    piece.head.remove_prefix(n);
  } else {
    piece.head = {};
    if (piece.tail.size() > piece.length) piece.tail.remove_prefix(piece.tail.size() - piece.length);
  }
}

}  // namespace

void DirectionStream::born(std::uint64_t raw, bool tcp) {
  if (based_) {
    // ArrivalTracker came before the description: count them from the beginning that is now known.
    const std::int64_t first = tcp ? unwrap(base_, static_cast<std::uint32_t>(raw), 0) : 0;
    arrivals_.shift(first - (first_known_ ? 0 : kUnknownStart));
  }
  if (!arrivals_.any()) arrivals_.start(0);
  base_ = tcp ? static_cast<std::uint32_t>(raw) : 0;
  based_ = first_known_ = true;
  next_ = 0;
}

void DirectionStream::began_earlier() {
  if (!first_known_ || started_) return;
  first_known_ = false;
  next_ = kUnknownStart;
  if (arrivals_.any())
    arrivals_.shift(kUnknownStart);
  else
    arrivals_ = {};
}

std::int64_t DirectionStream::offset_of(std::uint64_t position, bool tcp) {
  if (!tcp) {
    if (!based_) {
      based_ = true;
      next_ = kUnknownStart;
    }
    return static_cast<std::int64_t>(position & kPositionMask) + (first_known_ ? 0 : kUnknownStart);
  }
  const auto raw = static_cast<std::uint32_t>(position);
  if (!based_) {
    based_ = true;
    base_ = raw;
    next_ = kUnknownStart;
  }
  return unwrap(raw, base_, next_);
}

// Whether the arrival of all its bytes was seen, or need not be waited for.
bool DirectionStream::arrived_whole(const Piece& piece, const Shared& shared) const {
  if (direction_ == Direction::out || !arrives_ || !shared.arrivals_expected || late_arrivals_ >= kArrivalPatience)
    return true;
  if (!first_known_ && moved_ == 0) return true;  // it may have arrived before the recording began
  return arrivals_.arrived_to() >= piece.offset + static_cast<std::int64_t>(piece.length);
}

bool DirectionStream::front_in_order(const Shared& shared) const {
  return !held_.empty() && held_.front().piece.offset <= next_ && arrived_whole(held_.front().piece, shared);
}

// Whether the other direction waits for something and what it holds is older. What waits only for this direction does
// not count, or the two would wait for each other.
bool DirectionStream::behind_other(const Piece& piece, const Shared& shared) const {
  return other_.holds() && !other_.front_in_order(shared) && other_.front_done() <= piece.done;
}

void DirectionStream::arrived(std::int64_t begin, std::int64_t end, model::Time at) {
  late_arrivals_ = 0;
  arrivals_.add(begin, end, at);
}

void DirectionStream::told(std::int64_t begin, std::int64_t end, model::Time at) {
  late_arrivals_ = 0;
  arrivals_.add(arrivals_.started() ? std::min(begin, arrivals_.arrived_to()) : begin, end, at);
}

void DirectionStream::push(Piece piece, Shared& shared, Output& out) {
  bound_payload(piece);
  if (!started_) {
    started_ = true;
    if (!first_known_) {
      shared.findings.add(Finding::connection_began_before);
      next_ = piece.offset;
      if (missed_) piece.taints = piece.taints | Taint::events_lost;
    }
  }
  piece.after_loss = std::exchange(missed_, false);  // what was lost before it, its position shows
  const auto end = piece.offset + static_cast<std::int64_t>(piece.length);
  // A read that takes the FIN along with the last bytes is recorded one too far: the FIN counts in copied_seq.
  // That every byte up to one before its end has arrived, and none after, proves it.
  if (direction_ == Direction::in && piece.offset == next_ + 1 && !piece.after_loss && arrivals_.any() &&
      arrivals_.arrived_to() == end - 1)
    --piece.offset;
  if (ended_ || end <= next_) {
    shared.findings.add(Finding::position_overlap);
    return;
  }
  if (piece.offset == next_ && held_.empty() && arrived_whole(piece, shared) && !behind_other(piece, shared))
    emit(piece, shared, out);
  else
    hold(piece, shared);
}

void DirectionStream::hold(const Piece& piece, Shared& shared) {
  const auto behind = std::upper_bound(held_.begin(), held_.end(), piece.offset,
                                       [](std::int64_t o, const Held& h) { return o < h.piece.offset; });
  Held held{piece, {}, shared.now};
  held.bytes.reserve(piece.head.size() + piece.tail.size());
  held.bytes.append(piece.head).append(piece.tail);
  held_bytes_ += held.bytes.size();
  shared.held_bytes += held.bytes.size();
  held_.insert(behind, std::move(held));
}

void DirectionStream::emit(Piece piece, Shared& shared, Output& out) {
  const std::int64_t end = piece.offset + static_cast<std::int64_t>(piece.length);
  // What a program of the kernel added is on the wire, and no part of what the program said. Behind lost bytes it is
  // part of the gap.
  if (piece.payload == formats::Payload::added) {
    if (piece.offset == next_) next_ = end;
    return;
  }
  model::ByteRun& run = out.add();
  run.connection = connection_;
  run.direction = direction_;
  run.first_known = first_known_;
  run.gap = static_cast<std::uint64_t>(piece.offset - next_);
  // Two threads may come back from their calls in the other order than their bytes: position first, time second.
  if (piece.done > last_done_) last_done_ = piece.done;
  run.done = last_done_;
  run.offset = static_cast<std::uint64_t>(piece.offset);
  run.length = piece.length;
  run.thread = piece.thread;
  run.payload = piece.payload;
  run.taints = piece.taints;
  run.head = piece.head;
  run.tail = piece.tail;
  if (direction_ == Direction::in && arrives_ && shared.arrivals_seen) {
    const ArrivalTracker::Taken taken = arrivals_.take(piece.offset, end, run.done, out.marks());
    if (taken.missing && !told_) shared.findings.add(Finding::arrival_missing);
    if (taken.negative) shared.findings.add(Finding::negative_interval);
  }
  if (run.gap > 0) {
    shared.findings.add(Finding::bytes_lost, run.gap);
    lost_ += run.gap;
  }
  moved_ += piece.length;
  next_ = end;
}

bool DirectionStream::impatient(const Shared& shared) const {
  if (held_.size() > kMaxHeldPieces || held_bytes_ > kMaxHeldBytes || shared.held_bytes > kMaxHeldTotal)
    return !held_.empty();
  return std::any_of(held_.begin(), held_.end(), [&](const Held& h) { return h.since + kHold <= shared.now; });
}

void DirectionStream::release(Shared& shared, Output& out) {
  Held h = std::move(held_.front());
  held_.erase(held_.begin());
  held_bytes_ -= h.bytes.size();
  shared.held_bytes -= h.bytes.size();
  Piece& piece = h.piece;
  if (direction_ == Direction::in && !arrived_whole(piece, shared)) {
    ++late_arrivals_;
    if (!shared.arrivals_seen) shared.arrivals_expected = false;
  }
  const std::size_t head = piece.head.size(), tail = piece.tail.size();
  const std::string_view bytes = out.keep(std::move(h.bytes));
  piece.head = bytes.substr(0, head);
  piece.tail = bytes.substr(head, tail);
  // One byte is missing, and it is the last read before an orderly end: the FIN was counted (see push).
  if (piece.offset == next_ + 1 && held_.empty() && direction_ == Direction::in && fin_seen() && !piece.after_loss)
    --piece.offset;
  const std::int64_t overlap = next_ - piece.offset;
  if (overlap > 0) {
    shared.findings.add(Finding::position_overlap);
    if (static_cast<std::uint64_t>(overlap) >= piece.length) return;
    drop_front(piece, static_cast<std::uint64_t>(overlap));
    piece.taints = piece.taints | Taint::conflict;
  }
  emit(piece, shared, out);
}

void DirectionStream::read_nothing(std::int64_t offset, model::Time at, bool tcp, Shared& shared) {
  if (ended_) return;
  // On TCP the FIN takes one number. A read of 0 that does not count it may have asked for 0 bytes: it ends the
  // direction only when the FIN is seen otherwise.
  if (!fin_offset_ || offset > *fin_offset_) {
    fin_offset_ = offset;
    fin_at_ = at;
  }
  if (!tcp || (based_ && offset == next_ + 1)) fin_arrived_ = true;
  if (ending_ == model::End::none && offset > next_) end(model::End::fin, at, shared.now + kHold);
}

void DirectionStream::end(model::End end, model::Time at, model::Time deadline, model::Taints taints) {
  if (ended_) return;
  // A reset or error says more than the FIN that went before; the first time counts.
  if (ending_ == model::End::none || ending_ == model::End::fin) ending_ = end;
  if (!formats::known(ending_at_)) ending_at_ = at;
  deadline_ = formats::known(deadline_) ? std::min(deadline_, deadline) : deadline;
  ending_taints_ |= taints;
}

model::Time DirectionStream::wakes_at() const {
  model::Time at = model::kNoTime;
  if (ended_) return at;
  for (const Held& h : held_)
    if (!formats::known(at) || h.since + kHold < at) at = h.since + kHold;
  // While something is held the end is not tried, however late it is.
  return held_.empty() && ending_ != model::End::none ? deadline_ : at;
}

void DirectionStream::try_end(bool all, Shared& shared, Output& out) {
  if (ended_ || !held_.empty()) return;
  if (fin_offset_ && fin_arrived_ && next_ + 1 >= *fin_offset_) return finish(model::End::fin, fin_at_, out);
  if (!all && (ending_ == model::End::none || deadline_ > shared.now)) return;
  // Unseen bytes up to a counted FIN: the gap precedes the end.
  const std::int64_t missing = fin_offset_ && started_ ? *fin_offset_ - 1 - next_ : 0;
  const bool all_read = arrivals_.any() ? !unread() : ending_ != model::End::none;
  const bool orderly = fin_offset_ || (fin_arrived_ && all_read) || ending_ == model::End::fin;
  model::End how = ending_ == model::End::none ? model::End::capture : ending_;
  if (orderly && (how == model::End::capture || how == model::End::error || how == model::End::fin))
    how = model::End::fin;
  if (missing > 0) {
    lost_ += static_cast<std::uint64_t>(missing);
    shared.findings.add(Finding::bytes_lost, static_cast<std::uint64_t>(missing));
  }
  finish(how, fin_offset_ ? fin_at_ : ending_at_, out, missing > 0 ? static_cast<std::uint64_t>(missing) : 0);
}

void DirectionStream::finish(model::End end, model::Time at, Output& out, std::uint64_t gap) {
  ended_ = true;
  model::ByteRun& run = out.add();
  run.connection = connection_;
  run.direction = direction_;
  run.end = end;
  run.first_known = first_known_;
  run.gap = gap;
  run.offset = static_cast<std::uint64_t>(next_) + gap;
  run.done = std::max(at, last_done_);
  run.taints = ending_taints_;
  // Unless the FIN's position shows that this was all.
  if (missed_ && !(fin_offset_ && next_ + 1 >= *fin_offset_)) run.taints = run.taints | Taint::events_lost;
}

}  // namespace tailcap::streams
