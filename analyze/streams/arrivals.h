// Arrival times of the bytes of one direction, including all bytes before them: a missing segment delays later bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/wire/byte_run.h"

namespace tailcap::streams {

// Marks of unread bytes kept per connection. A receive buffer of 6 MB in segments of 1448 bytes is 4,300.
inline constexpr std::size_t kMaxArrivalMarks = 4096;
// Segments behind a hole kept per connection; the kernel itself prunes its queue under memory pressure.
inline constexpr std::size_t kMaxEarlySegments = 256;

class ArrivalTracker {
 public:
  // Everything before `offset` is taken as arrived at an unknown time.
  void start(std::int64_t offset) {
    from_ = to_ = offset;
    started_ = true;
  }
  void add(std::int64_t begin, std::int64_t end, model::Time at);
  void shift(std::int64_t by);

  bool any() const { return any_; }
  bool started() const { return started_; }
  // All bytes before this have arrived.
  std::int64_t arrived_to() const { return to_; }

  struct Taken {
    bool missing = false;   // part of it was read without an arrival having been seen
    bool negative = false;  // an arrival later than the read that took it
  };
  // [begin, end) was read at `done`: appends its marks (unknown times are kNoTime) and forgets them.
  Taken take(std::int64_t begin, std::int64_t end, model::Time done, std::vector<model::ArrivalMark>& marks);

 private:
  struct Segment {
    std::int64_t begin, end;
    model::Time time;
  };
  void mark(std::int64_t end, model::Time at);
  void absorb();

  std::vector<model::ArrivalMark> marks_;  // from head_ on; contiguous from from_ to to_
  std::size_t head_ = 0;
  std::vector<Segment> early_;  // behind a hole, ascending by begin
  std::int64_t from_ = 0, to_ = 0;
  bool started_ = false, any_ = false;
};

}  // namespace tailcap::streams
