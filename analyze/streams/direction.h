// One direction of one connection end: puts its pieces into byte order and decides when a gap is final.
//
// Events of one socket can come out of order (several CPUs, several rings), so early pieces are held: bounded in
// number, bytes and time. A read is held, too, while the arrival of its bytes has not been seen but should be.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/wire/byte_run.h"
#include "analyze/model/wire/findings.h"
#include "analyze/streams/arrivals.h"
#include "analyze/streams/output.h"

namespace tailcap::streams {

// How long an early piece or an end waits for earlier pieces. Rings are drained every 50 ms, so anything later was
// lost.
inline constexpr model::Duration kHold = std::chrono::milliseconds{100};
inline constexpr std::size_t kMaxHeldPieces = 256;
inline constexpr std::size_t kMaxHeldBytes = 256u << 10;
// All connections together.
inline constexpr std::size_t kMaxHeldTotal = 64u << 20;

struct Piece {
  std::int64_t offset = 0;
  std::uint64_t length = 0;
  model::Time done = model::kNoTime;
  model::Thread thread;
  formats::Payload payload = formats::Payload::off;
  model::Taints taints = 0;
  bool after_loss = false;  // events of this socket were lost since the piece before it
  std::string_view head, tail;
};

// State shared by all directions.
struct Shared {
  model::Findings findings;
  std::size_t held_bytes = 0;
  model::Time now = model::kNoTime;  // the latest time seen
  bool arrivals_seen = false;        // some socket had an arrival: hook and option are on
  bool arrivals_expected = true;     // until one was waited for in vain and none was ever seen
};

class DirectionStream {
 public:
  // `other`: the opposite direction, so that neither runs ahead of the other while something is held there.
  DirectionStream(model::ConnectionId connection, model::Direction direction, const DirectionStream& other)
      : connection_(connection), direction_(direction), other_(other) {}
  DirectionStream(const DirectionStream&) = delete;
  DirectionStream& operator=(const DirectionStream&) = delete;

  // Offset 0 is raw position `raw` and the first byte of the stream. Only before the first piece. The last call counts.
  void born(std::uint64_t raw, bool tcp);
  // The position given to born() was not the first byte's after all. Only before the first piece.
  void began_earlier();
  std::int64_t offset_of(std::uint64_t position, bool tcp);
  void no_arrivals() { arrives_ = false; }  // not TCP
  std::uint32_t base() const { return base_; }

  void arrived(std::int64_t begin, std::int64_t end, model::Time at);
  // TLS sessions: sets the arrival of all bytes up to `end`; kNoTime: not known. A piece is held until then.
  void arrivals_are_told() { told_ = true; }
  void told(std::int64_t begin, std::int64_t end, model::Time at);
  // Hands the piece on, or holds it: then advance() (streams/duplex.h) decides.
  void push(Piece piece, Shared& shared, Output& out);
  // Events of this socket were lost: perhaps the first or the last of this direction, which leaves no gap.
  void missed() { missed_ = true; }
  void fin_arrived() { fin_arrived_ = true; }
  void read_nothing(std::int64_t offset, model::Time at, bool tcp, Shared& shared);
  // It ends as said unless an orderly end turns up; at once where `deadline` has passed.
  void end(model::End end, model::Time at, model::Time deadline, model::Taints taints = 0);

  bool holds() const { return !held_.empty(); }
  bool front_ready(const Shared& shared) const {
    return front_in_order(shared) && !behind_other(held_.front().piece, shared);
  }
  model::Time front_done() const { return held_.front().piece.done; }
  // A piece has waited long enough, or too much is held.
  bool impatient(const Shared& shared) const;
  // Hands the first held piece on, whatever is missing before it.
  void release(Shared& shared, Output& out);
  // Ends it if its end is reached, or if `now` is past the deadline, or always (`all`). Nothing may be held.
  void try_end(bool all, Shared& shared, Output& out);

  bool ended() const { return ended_; }
  bool started() const { return started_; }
  bool first_known() const { return first_known_; }
  std::int64_t next() const { return next_; }
  bool fin_seen() const { return fin_arrived_ || fin_offset_.has_value(); }
  // Arrived, but not read.
  bool unread() const { return started_or_arrived() && arrivals_.any() && arrivals_.arrived_to() > next_; }
  model::Time wakes_at() const;
  std::uint64_t moved() const { return moved_; }
  std::uint64_t lost() const { return lost_; }

 private:
  struct Held {
    Piece piece;
    std::string bytes;
    model::Time since;
  };
  bool started_or_arrived() const { return started_ || first_known_; }
  bool arrived_whole(const Piece& piece, const Shared& shared) const;
  bool front_in_order(const Shared& shared) const;
  bool behind_other(const Piece& piece, const Shared& shared) const;
  void hold(const Piece& piece, Shared& shared);
  void emit(Piece piece, Shared& shared, Output& out);
  void finish(model::End end, model::Time at, Output& out, std::uint64_t gap = 0);

  model::ConnectionId connection_;
  model::Direction direction_;
  const DirectionStream& other_;
  bool first_known_ = false, started_ = false, based_ = false, ended_ = false, fin_arrived_ = false;
  bool arrives_ = true, missed_ = false, told_ = false;
  std::uint32_t base_ = 0;
  std::uint8_t late_arrivals_ = 0;  // reads in a row that waited for an arrival in vain
  std::int64_t next_ = 0;           // everything before it was handed on
  model::Time last_done_ = model::kNoTime;
  std::uint64_t moved_ = 0, lost_ = 0;
  ArrivalTracker arrivals_;
  std::vector<Held> held_;  // ascending by offset
  std::size_t held_bytes_ = 0;
  std::optional<std::int64_t> fin_offset_;  // a read of 0 was seen there
  model::Time fin_at_ = model::kNoTime;
  model::End ending_ = model::End::none;
  model::Time ending_at_ = model::kNoTime, deadline_ = model::kNoTime;
  model::Taints ending_taints_ = 0;
};

}  // namespace tailcap::streams
