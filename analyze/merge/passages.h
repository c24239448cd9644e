// What a capture says about the bytes of its TCP connections: the earliest time at which they can have been sent, and
// when they arrived. Merging uses this to align the clocks of two machines.
//
// A capture has the end of a send, not its beginning; by the end its bytes may have arrived. But the send began after
// the thread's previous call had returned.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "analyze/merge/clock_fit.h"
#include "formats/event_names.h"
#include "formats/socket_event.h"

namespace tailcap::merge {

class Passages {
 public:
  // Keeps at most `limit` messages of each direction. If there are more, it keeps every second one, the same ones in
  // every capture.
  explicit Passages(std::size_t limit = 1u << 19) : limit_(limit) {}
  void push(const formats::Event& event);

  Time first() const { return first_; }
  Time last() const { return last_; }
  // Connections between machines with a recorded end. A machine's connections with itself do not count.
  const std::unordered_set<std::uint64_t>& connections() const { return connections_; }

 private:
  friend struct Match match(const Passages& ours, const Passages& theirs);

  struct End {
    std::uint64_t out = 0, in = 0,
                  connection = 0;  // hashes of the addresses: as sender, as receiver, of both in any order
  };
  struct Passage {
    Time time = formats::kNoTime;    // sent: not before this; arrived: then
    Time likely = formats::kNoTime;  // sent: the call was done
    std::uint64_t connection = 0;
    bool ambiguous = false;  // these bytes were sent twice: sequence numbers wrapped, or an address was reused
  };
  using Table =
      std::unordered_map<std::uint64_t, Passage>;  // by hash of sender, receiver and position of the first byte

  void note(const formats::SocketInfo& info);
  void sent(const formats::Event& event, const formats::Io& io);
  void arrived(formats::SocketId socket, std::uint32_t position, Time time);
  void returned(const formats::Event& event, std::int32_t syscall);
  bool room(Table& table, std::uint64_t key);

  std::size_t limit_;
  Time first_ = formats::kNoTime, last_ = formats::kNoTime;
  std::unordered_map<formats::SocketId, End> ends_;
  struct Returned {
    Time time = formats::kNoTime;   // of the last call
    Time other = formats::kNoTime;  // off the CPU in another call than `blocked`, or in none
    Time blocked_at = formats::kNoTime;
    std::int32_t blocked = -1;
  };
  std::unordered_map<std::uint32_t, Returned> threads_;
  std::unordered_set<std::uint64_t> connections_;
  Table sent_, arrived_;
  std::uint64_t keep_ = 0;  // only keys whose low bits under this mask are 0
};

struct Match {
  ClockEstimate clock;            // of the other machine's clock on ours
  std::uint64_t connections = 0;  // joined: both ends recorded bytes of it
  std::unordered_set<std::uint64_t> joined;
};
Match match(const Passages& ours, const Passages& theirs);

}  // namespace tailcap::merge
