// Pools of connections: a request waits until another one gives a connection back.
//
// That is what a wait was where the thread, or in Go the goroutine, that ended it had just read the answer to a call
// and used the connection no more, the next call of the waiting one was on that connection or another of the pool, and
// all connections of the process to that place were in use meanwhile. Otherwise the wait keeps its label: a lock looks
// the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/partition/history/observed.h"
#include "analyze/partition/history/windows.h"

namespace tailcap::partition {

class PoolWaits {
 public:
  // Both must outlive it; windows does not change.
  PoolWaits(const Windows& windows, const Observed& observed);

  struct Given {
    model::ExchangeId by;      // the request that gave the connection back
    std::uint32_t tid = 0;     // its thread; 0: a goroutine did
    std::uint64_t number = 0;  // of the pool: model::PoolOfConnections
  };
  // The wait of a thread that carries the request of this window.
  std::optional<Given> given(const Window& waiting, std::uint32_t tid, const OffCpuWait& wait) const;
  // Likewise of a goroutine in [from, to), which another one ended.
  std::optional<Given> given(const Window& waiting, std::uint64_t goroutine, std::uint64_t by, Nanos from,
                             Nanos to) const;

 private:
  using Key = std::pair<std::uint32_t, model::TextId>;  // process, remote end
  struct Turn {
    model::ConnectionId given = 0, taken = 0;  // mostly the same
    Nanos read = 0, sent = 0;                  // the last bytes of a call on the one, the first on the other
    Nanos from = 0, to = 0;                    // the wait
  };
  std::optional<Given> proved(const Window& waiting, const Turn& turn) const;
  enum class State : std::uint8_t { used, missing, idle };
  State state_of(model::ConnectionId connection, const Window& waiting, const Turn& turn) const;
  bool gave_back(std::uint32_t call, std::uint32_t next, model::ExchangeId holder, const Turn& turn) const;
  Nanos end_of(std::uint32_t row) const;

  const Windows& windows_;
  const Observed& observed_;
  std::map<Key, std::vector<model::ConnectionId>> members_;
};

}  // namespace tailcap::partition
