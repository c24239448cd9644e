// Assigns events to requests: by the bytes that an event is about, by the goroutine, or by the thread that it happened
// to.
//
// A thread carries a request if it moved all bytes of the request that were seen. A goroutine carries it if it sent the
// response (over HTTP/2: if it runs the handler). An event belongs to a request if that was the only one that the
// thread or goroutine carried then; otherwise it belongs to none. The assignment says no more than that: work that a
// thread did meanwhile for no request, or for requests that were not recorded, cannot be distinguished from work for
// this one.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/spans/ends.h"
#include "analyze/spans/intervals.h"
#include "formats/event_names.h"

namespace tailcap::spans {

class Carriers {
 public:
  Carriers(const model::RequestTable& table, const AllEnds& ends);

  // All events once, then settle().
  void push(const formats::Event& event);
  void settle();

  // The row of the request that carried all of [from, to]; otherwise Intervals::kNone or kSeveral.
  std::uint32_t by_thread(const formats::Event& event, formats::Time from, formats::Time to) const;
  std::uint32_t by_thread(formats::Thread thread, std::uint64_t goroutine, formats::Time from, formats::Time to) const;
  std::uint32_t by_time(formats::SocketId socket, formats::Time at) const;
  // The row of the request that these bytes, sent at `at` at the latest, belong to.
  std::uint32_t by_bytes(formats::SocketId socket, std::uint32_t position, formats::Time at) const;
  // Requests that this process served at some time in [from, to), at most kMaxServed.
  static constexpr std::size_t kMaxServed = 4096;
  std::vector<std::uint32_t> served(std::uint32_t pid, formats::Time from, formats::Time to) const;

 private:
  struct Carrier {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
    std::uint32_t pid = 0, tid = 0;
    std::uint64_t goroutine = 0;
    bool threads_differ = false, goroutines_differ = false;
    bool sent = false;
    std::uint32_t first = 0, end = 0;  // sequence numbers of its bytes
  };
  struct GoroutineOf {
    std::uint32_t pid;
    std::uint64_t goroutine;
    bool operator==(const GoroutineOf&) const = default;
  };
  struct GoroutineHash {
    std::size_t operator()(const GoroutineOf& g) const {
      return g.pid * 0x9e3779b97f4a7c15u ^ g.goroutine * 0xc2b2ae3d27d4eb4fu;
    }
  };
  struct Served {
    std::vector<std::uint32_t> rows;      // by start
    std::vector<formats::Time> ended_by;  // the last end of those up to here
  };
  template <class Map, class Key>
  static std::uint32_t find(const Map& map, const Key& key, formats::Time from, formats::Time to);

  const model::RequestTable& table_;
  std::vector<Carrier> carriers_;  // by row
  std::unordered_map<formats::SocketId, Intervals> sockets_;
  std::unordered_map<formats::SocketId, std::vector<std::uint32_t>> rows_of_;  // by start
  std::unordered_map<std::uint32_t, Intervals> serving_, calling_;             // by tid
  std::unordered_map<GoroutineOf, Intervals, GoroutineHash> goroutines_;
  std::unordered_map<std::uint32_t, Served> served_;  // by pid
};

}  // namespace tailcap::spans
