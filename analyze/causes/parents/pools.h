// Pooled connections of event loops: which request holds one, and when one may pass from a request to another.
//
// Where all connections of a pool are in use and a request waits for one, the connection that becomes free goes to the
// request that waits, in the very iteration in which the answer for another was read. Two facts of a loop tell its two
// kinds of pools apart. Where requests hold a connection until they answer, the answer of a request is sent while
// exactly one connection has been read in this iteration and not been used again: its own, and the calls on it since it
// changed hands are that request's. Where each call takes a connection, this one has been passed on by then.
#pragma once

#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "analyze/causes/note.h"
#include "analyze/causes/parents/turns.h"

namespace tailcap::causes {

class Pools {
 public:
  static constexpr std::size_t kMaxConnections = 64;  // of a process; calls on further ones stay undecided

  // The exchanges in order of their beginning. All references must outlive this.
  Pools(const Process& process, const LoopIterations& turns) : process_(process), turns_(turns) {}
  void index();

  // The call before it on its connection; -1: none.
  std::int64_t before(std::uint32_t client) const { return before_.empty() ? -1 : before_[client]; }
  // Its connection may have passed to it from another request in this iteration.
  bool may_change_hands(std::uint32_t client) const;
  // The request that held the connection of this call; -1: not known.
  std::int64_t holder(std::uint32_t client) const { return holders_.empty() ? -1 : holders_[client]; }

 private:
  static constexpr std::size_t kProof = 8;  // answers while others wait, before a kind of pool is believed
  struct Connection {
    std::uint64_t pool = 0;
    bool shared = false;               // calls of several requests are under way on it at a time
    std::vector<std::uint32_t> calls;  // ascending
  };
  // What the connections do at a time.
  struct Use {
    std::size_t under_way = 0;
    std::vector<const Connection*> open;  // an answer was read in this iteration, and nothing sent since
    std::size_t idle = 0;                 // of this pool; 0: of all
  };
  struct Loop {
    std::vector<Time> began, answered;           // of the requests that it read, ascending
    std::vector<std::uint32_t> requests;         // those that it answered, by the time of the answer
    std::size_t proofs = 0, contradictions = 0;  // that requests hold connections
  };

  // The last call on it that was sent before t; null: none.
  const Note* last_before(const Connection& c, Time t) const;
  Use use_at(Time t, Time waited, std::uint64_t pool) const;
  // Requests that the thread had read and not answered.
  std::size_t under_way(const Loop& loop, Time t) const;
  void find_holders();
  void hold(std::uint32_t tid, const Loop& loop);

  const Process& process_;
  const LoopIterations& turns_;
  std::map<model::ConnectionId, Connection> connections_;
  std::unordered_map<std::uint32_t, Loop> loops_;
  std::vector<std::int64_t> before_, holders_;
};

}  // namespace tailcap::causes
