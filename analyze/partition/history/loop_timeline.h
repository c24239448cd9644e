// What an event loop did, turn by turn. It is cut once for all requests that the loop carries; sums over any stretch of
// it cost a search.
//
// Between two waits of the loop is an iteration. In it, who sends had the turn before that, since the last act: loops
// that read for all first and run the handlers afterwards are so; what comes before a read belongs to who acted before,
// and the first read of an iteration to whose bytes woke the loop.
#pragma once

#include <array>
#include <boost/container/small_vector.hpp>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "analyze/partition/history/last_turns.h"
#include "analyze/partition/history/numbered.h"
#include "analyze/partition/history/observed.h"
#include "analyze/partition/history/windows.h"
#include "ground/threads/workers.h"

namespace tailcap::partition {

struct LoopTurn {
  Nanos from = 0, to = 0;
  Nanos runnable = 0;       // idle: when it was woken, where that was seen
  model::ExchangeId owner;  // connection 0: none, not known, or the loop was idle
  model::ExchangeId after;  // owner of the act before it
  // Acts that moved bytes of several streams at once have no owner: they belong to each request that has a milestone
  // there. These are the connections of such acts; 0: another act, or none.
  model::ConnectionId began_by = 0, ended_by = 0;
  bool idle : 1 = false;
  bool woken : 1 = false;       // idle: its wake-up was seen
  bool doubtful : 1 = false;    // another request could own it
  bool special : 1 = false;     // the loop was stopped in it
  bool of_before : 1 = false;   // the turn belongs to the act before it,
  bool of_after : 1 = false;    // or to the one that ended it
  std::uint64_t last_idle = 0;  // number of the last idle turn until here; 0: none
  std::uint64_t last_own = 0;   // number of the owner's turn before this one; 0: none
};

class LoopTimeline {
 public:
  // Sums of time, and of the part of it in which other threads were queued for a CPU.
  enum Sort : std::size_t { idle, queued, opaque, owned, unsure, kSorts };  // opaque: its wake-up was not seen
  struct Sums {
    std::array<Nanos, kSorts> time{}, crowded{};
    Nanos all() const { return time[idle] + time[queued] + time[opaque] + time[owned] + time[unsure]; }
  };
  // Turns have numbers from 1.
  struct Range {
    std::uint64_t first = 0, last = 0;  // first > last: none
    std::size_t size() const { return last >= first ? last - first + 1 : 0; }
  };
  static constexpr Nanos kStart = INT64_MIN / 4;  // of the first turn: not known
  static constexpr Nanos kWorthALook = 100'000;   // shorter stretches are not compared with waits for a CPU

  // All acts and waits that began before `until` are known.
  void extend(const ThreadLog& log, const Observed& observed, Nanos until);
  void forget_before(Nanos t);

  const LoopTurn& turn(std::uint64_t number) const { return turns_.has(number) ? turns_[number].turn : open_; }
  // Those that have something in common with [from, to), the one under way included.
  Range range(Nanos from, Nanos to) const { return range(from, to, {turns_.first(), turns_.end()}); }
  // Those of them that are in `in`.
  Range range(Nanos from, Nanos to, Range in) const;
  bool any_special(Range range) const;
  // [from, to) without turns that are special; less where the timeline does not reach. in: a range that covers it.
  Sums within(Nanos from, Nanos to, Range in, const Observed& observed) const;
  // Turns of this request in its window, in order of time. range: of that window.
  using Own = boost::container::small_vector<LoopTurn, 8>;
  Own own(const Window& w, Range range) const;
  // The longest turn of a known owner in this range; nullptr: none.
  const LoopTurn* longest(Range range) const;

 private:
  using BySort = std::array<Nanos, kSorts>;
  // There may be hundreds of thousands. All are of what comes before the turn.
  struct Entry {
    LoopTurn turn;
    BySort time{};
    std::uint32_t crowded = 0;  // how many sums there are in crowded_
    std::uint32_t special = 0;  // how many turns are special
  };
  void add(LoopTurn turn, const Observed& observed);
  static void count(const LoopTurn& turn, Nanos from, Nanos to, const Observed& observed, Sums& sums);
  static bool longer(const LoopTurn& a, const LoopTurn& b) { return a.to - a.from > b.to - b.from; }

  // The first turn of [first, end) that ended after t; `end` if none did.
  std::uint64_t first_after(Nanos t, std::uint64_t first, std::uint64_t end) const;
  BySort crowded_until(std::uint32_t count) const { return count == 0 ? BySort{} : crowded_[count - first_crowded_]; }

  // kStretch turns with numbers that follow each other.
  struct Stretch {
    std::uint64_t longest = 0;  // number of the longest turn of a known owner; 0: none
    Nanos end = kStart;         // of the last
  };
  static constexpr std::uint64_t kStretch = 32;
  static_assert(Numbered<Nanos>::kBlock % kStretch == 0);
  static std::uint64_t stretch_of(std::uint64_t number) { return number / kStretch + 1; }

  Numbered<Entry> turns_;
  Numbered<Nanos> ends_;  // `to` of each, close together: a search touches few cache lines
  Numbered<Stretch> stretches_;
  LastTurns last_of_;  // owners'
  Sums sums_;
  std::deque<BySort> crowded_;       // each sum that differs from the one before, the last that is forgotten first
  std::uint32_t first_crowded_ = 1;  // number of crowded_.front()
  std::uint32_t special_ = 0;
  LoopTurn open_;  // the turn under way
  // How far it has come.
  Nanos at_ = kStart;
  Nanos acts_from_ = kStart, waits_after_ = kStart;
  bool acted_ = false;    // in this iteration:
  Act before_;            // the last act
  bool stopped_ = false;  // since `at_`
  bool idled_ = false;
  OffCpuWait last_idle_;
  std::uint64_t last_idle_number_ = 0;
};

// The timelines of all loops.
class Loops {
 public:
  explicit Loops(const Observed& observed) : observed_(observed) {}
  // Everything before this time has been observed.
  void settle(Nanos until, ground::Workers& workers);
  void forget_before(Nanos t);
  // Known up to the time of settle(). nullptr: no such thread. Several threads may ask, between settle() and
  // forget_before().
  const LoopTimeline* of(std::uint32_t tid);

 private:
  struct Loop {
    LoopTimeline timeline;
    Nanos until = 0;
  };
  const Observed& observed_;
  std::mutex mutex_;  // of what follows
  std::unordered_map<std::uint32_t, Loop> loops_;
  Nanos until_ = 0;
};

}  // namespace tailcap::partition
