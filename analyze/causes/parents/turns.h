// The times at which threads waited for several descriptors at once, and for one, and what those that do the former
// read. Waits that did not block are not seen.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <set>
#include <unordered_map>
#include <vector>

#include "analyze/model/sampling/pauses.h"
#include "formats/event_names.h"

namespace tailcap::causes {

class LoopIterations {
 public:
  struct Read {
    formats::Time time;
    formats::SocketId socket;
  };

  explicit LoopIterations(std::size_t limit) : limit_(limit) {}

  void push(const formats::Event& event);
  // The thread waited for several descriptors at once, as event loops do, or its waits have been dropped.
  bool multiplexes(std::uint32_t tid) const;
  // It did so in (after, until].
  bool waited_for_many(std::uint32_t tid, formats::Time after, formats::Time until) const;
  // The end of its last such wait that was over by then; kNoTime: none is known.
  formats::Time last_wait_for_many(std::uint32_t tid, formats::Time until) const;
  // Its waits since then are still kept.
  bool remembers(std::uint32_t tid, formats::Time since) const;
  // The end of its last wait of any kind; kNoTime: none is known.
  formats::Time last_wait(std::uint32_t tid) const;
  // Waits of the thread were lost or left out in (from, to), or may have been: it was not seen to wait since a pause.
  bool missed(std::uint32_t tid, formats::Time from, formats::Time to) const;
  // What it read since it first waited for several descriptors, ascending. Beyond the first kMaxReceived
  // of all threads: none.
  const std::vector<Read>& read_by(std::uint32_t tid) const;
  // It was blocked in a read of one descriptor at some time in [from, to]. Also false for older reads: only the last
  // few are kept.
  bool blocked_reading(std::uint32_t tid, formats::Time from, formats::Time to) const;
  // It was blocked in a read of this socket at some time. Also false beyond the first kMaxReads.
  bool blocked_reading(std::uint32_t tid, formats::SocketId socket) const;

 private:
  struct Blocked {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
  };
  static constexpr std::size_t kBlocked = 8;
  static constexpr std::size_t kMaxThreads = 64u << 10;
  static constexpr std::size_t kMaxGaps = 4096;          // of a thread
  static constexpr std::size_t kMaxReads = 1u << 18;     // threads with a socket that they were blocked reading
  static constexpr std::size_t kMaxReceived = 1u << 21;  // reads of all threads
  void read(std::uint32_t tid, formats::Time at, const formats::Io& io);
  struct Waits {
    std::vector<formats::Time> many;               // ends, ascending
    formats::Time known_since = formats::kNoTime;  // of `many`
    std::vector<Blocked> gaps;                     // waits in here were lost
    formats::Time last = formats::kNoTime;         // end of the last wait of any kind
    std::array<Blocked, kBlocked> blocked{};
    std::size_t next = 0;
    std::set<formats::SocketId> reads;
    std::vector<Read> received;
    bool multiplexes = false;
  };

  std::size_t limit_;
  std::size_t kept_ = 0;
  std::size_t reads_ = 0;
  std::size_t received_ = 0;
  bool overflow_ = false;  // some threads are not kept
  std::unordered_map<std::uint32_t, Waits> threads_;
  model::Pauses pauses_;
};

}  // namespace tailcap::causes
