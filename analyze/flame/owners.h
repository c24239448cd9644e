// Finds the owner of an instant of a thread or goroutine: the requests that it had under way.
//
// A goroutine serves the request if it sent the last byte of the response; in a process with goroutines, threads own
// nothing. Otherwise the table names the thread. If several requests were under way on one of them, it is not known
// which one it worked for.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "formats/event_names.h"

namespace tailcap::flame {

enum class Cohort : std::uint8_t { other, slow, typical };

struct RequestTime {
  formats::Time begin{}, end{};
  Cohort cohort = Cohort::other;
  std::uint32_t request = 0;  // the caller's number of the request
};

class Owners {
 public:
  // Adds a request that pid and tid served. Add all requests before sort(), also those that are not looked up.
  void add(std::uint32_t pid, std::uint32_t tid, const RequestTime& request);
  // Takes the events of the capture, to learn which goroutine sent. After the last add().
  void sent(const formats::Event& event);
  // To be called before of(): once for what threads own, and again after the last sent() for goroutines.
  void sort();

  struct Share {
    formats::Time begin{}, end{};  // a part of the time asked for
    Cohort cohort = Cohort::other;
    bool several = false;       // several requests were under way: the owner is not known
    std::uint32_t request = 0;  // unless several
  };
  // The parts of [begin, end] in which requests were under way, ascending. For an instant, begin == end. goroutine: 0
  // where it is not known. Valid until the next call.
  const std::vector<Share>& of(formats::Thread thread, std::uint64_t goroutine, formats::Time begin, formats::Time end);

 private:
  struct Line {
    std::vector<RequestTime> requests;  // by begin, then those under way at each end are found by the longest before
    std::vector<formats::Time> reach;   // the latest end up to here
  };
  struct Ended {
    RequestTime request;
    std::uint32_t pid = 0;
    bool sent = false;
  };
  using Key = std::pair<std::uint32_t, std::uint64_t>;
  static void sort(std::map<Key, Line>& lines);

  std::map<Key, Line> threads_, goroutines_;
  std::unordered_set<std::uint32_t> go_;  // processes in which goroutines own the requests
  std::vector<Ended> ended_;              // by when they ended, from the first event on
  bool by_end_ = false;
  std::vector<Share> shares_;
};

}  // namespace tailcap::flame
