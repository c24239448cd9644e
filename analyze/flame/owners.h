// Whose an instant of a thread or goroutine is: which requests it had under way.
//
// Goroutines are known by who sent the last byte of a response; in a process that has them, threads say nothing.
// Otherwise the thread is who the table names. Where several requests were under way on one of them it is not known
// which it worked for.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "formats/event.h"

namespace tailcap::flame {

enum class Cohort : std::uint8_t { other, slow, typical };

struct Interval {
  formats::Time begin{}, end{};
  Cohort cohort = Cohort::other;
  std::uint32_t request = 0;  // the caller's number for it
};

class Owners {
 public:
  // A request that pid and tid served. All requests are added before sort(), also those that nobody asks for.
  void add(std::uint32_t pid, std::uint32_t tid, const Interval& request);
  // With the events of the capture: who sent.
  void sent(const formats::Event& event);
  void sort();

  struct Share {
    formats::Time begin{}, end{};  // a part of the time asked for
    Cohort cohort = Cohort::other;
    bool several = false;       // requests under way: whose it is, is not known
    std::uint32_t request = 0;  // unless several
  };
  // The parts of [begin, end] in which requests were under way, ascending. An instant is asked for with begin == end.
  // Valid until the next call.
  const std::vector<Share>& of(const formats::Event& event, formats::Time begin, formats::Time end);

 private:
  struct Line {
    std::vector<Interval> requests;    // by begin, then those under way at each end are found by the longest before
    std::vector<formats::Time> reach;  // the latest end up to here
  };
  using Key = std::pair<std::uint32_t, std::uint64_t>;
  static void sort(Line& line);

  std::map<Key, Line> threads_, goroutines_;
  std::unordered_set<std::uint32_t> go_;  // processes whose requests are their goroutines'
  std::unordered_map<std::int64_t, std::vector<std::pair<std::uint32_t, Interval>>>
      by_end_;  // of requests, by when they ended
  std::vector<Share> shares_;
};

}  // namespace tailcap::flame
