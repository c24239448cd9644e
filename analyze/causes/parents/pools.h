// Pooled connections of event loops: which request holds one, and when one may pass from a request to another.
//
// Where all connections of a pool are in use and a request waits for one, the connection that becomes free goes to the
// request that waits, in the very iteration in which the answer for another was read. Two facts of a loop tell its two
// kinds of pools apart. Where requests hold a connection until they answer, the answer of a request is sent while
// exactly one connection has been read in this iteration and not been used again: its own, and the calls on it since it
// changed hands are that request's. Where each call takes a connection, this one has been passed on by then.
//
// Pools of asyncio pass a connection on before the answer of the request that had it is sent. Then exactly one answer
// read in this iteration says whose it was, and the kinds of calls tell the two kinds of pools apart: where others wait
// and requests hold connections, what is called first on a connection that was given back is called at no other place.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyze/causes/note.h"
#include "analyze/causes/parents/turns.h"
#include "analyze/model/text_pool.h"

namespace tailcap::causes {

class Pools {
 public:
  static constexpr std::size_t kMaxConnections = 64;  // of a process; calls on further ones stay undecided

  // The exchanges in order of their beginning. All references must outlive this.
  Pools(const Process& process, const LoopIterations& turns, const model::TextPool& texts)
      : process_(process), turns_(turns), texts_(texts) {}
  void index();

  // The call before it on its connection; -1: none.
  std::int64_t before(std::uint32_t client) const { return before_.empty() ? -1 : before_[client]; }
  // Its connection may have passed to it from another request in this iteration.
  bool may_change_hands(std::uint32_t client) const;
  // The request that held the connection of this call; -1: not known.
  std::int64_t holder(std::uint32_t client) const { return holders_.empty() ? -1 : holders_[client]; }

 private:
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
    std::unordered_set<std::uint64_t> firsts;  // kinds of calls with which a request begins, where it is known by them
  };
  // The last calls of requests on their connections.
  struct Ends {
    std::map<std::uint32_t, std::uint32_t> certain;  // of this request
    std::set<std::uint32_t> possible;
  };
  struct Places {
    std::size_t first = 0, later = 0;  // of a kind of calls while others wait: on a connection that was given back
  };

  // The last call on it that was sent before t; null: none.
  const Note* last_before(const Connection& c, Time t) const;
  Use use_at(Time t, Time waited, std::uint64_t pool) const;
  // Requests that the thread had read and not answered.
  std::size_t under_way(const Loop& loop, Time t) const;
  void find_holders();
  void hold(std::uint32_t tid, const Loop& loop);
  // Requests that were read by `until` wait for a connection of its pool after this call's answer was read.
  bool awaited(const Loop& loop, const Note& call, Time waited, Time until) const;
  std::uint64_t kind_of(std::uint32_t client) const;
  // The calls whose answers were read in (waited, t].
  std::vector<std::uint32_t> read_in(Time waited, Time t) const;
  Ends ends_of(std::uint32_t tid, const Loop& loop) const;
  void find_firsts(std::uint32_t tid, Loop& loop, const Ends& ends) const;
  void hold_passed(std::uint32_t tid, const Loop& loop, const Ends& ends);

  const Process& process_;
  const LoopIterations& turns_;
  const model::TextPool& texts_;
  std::map<model::ConnectionId, Connection> connections_;
  std::unordered_map<std::uint32_t, Loop> loops_;
  std::vector<std::int64_t> before_, holders_;
};

}  // namespace tailcap::causes
