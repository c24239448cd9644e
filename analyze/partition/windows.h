// The requests that are to be partitioned, found by time, by number, by connection and by who caused them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyze/flow/request.h"
#include "analyze/partition/sweep.h"

namespace tailcap::partition {

struct Window {
  std::uint32_t row = 0;
  flow::ExchangeId id;
  flow::Role role = flow::Role::server;
  bool streams = false;  // its connection carries several at the same time
  std::uint32_t pid = 0, tid = 0;
  Nanos from = 0, to = 0;  // to == from: its end is not known
  bool phases = false;
  struct Stretch {
    flow::Phase phase = flow::Phase::work;
    Nanos from = 0, to = 0;
  };
  std::array<Stretch, 7> stretch{};  // in order of time; a phase can have two
  std::uint8_t stretches = 0;

  // Milestones; meaningful with phases. Server: read, read whole, response begun. Client: sent whole, arrived, read.
  Nanos first = 0, second = 0, third = 0;
  bool server() const { return role == flow::Role::server; }
  bool ended() const { return to > from; }
};

// What only the exchange knew and the partition needs; few requests have any of it.
struct ExchangeNote {
  flow::ExchangeId id;
  Nanos head_done = 0;                    // it waited for 100 Continue from here on
  std::vector<flow::WindowWait> held_up;  // HTTP/2: its sender's waits for the peer's window
};
std::optional<ExchangeNote> note_of(const flow::Exchange& exchange);

class Windows {
 public:
  // notes: in any order. The table must be settled and stay as it is.
  Windows(const flow::RequestTable& table, std::vector<ExchangeNote> notes);

  Window window(std::uint32_t row) const;
  std::optional<std::uint32_t> find(flow::ExchangeId id) const;
  const ExchangeNote* note(flow::ExchangeId id) const;
  // Rows that have a partition, by their end.
  std::span<const std::uint32_t> by_end() const { return by_end_; }
  // When the request began that began first of by_end()[i…].
  Nanos began(std::size_t i) const { return i < began_.size() ? began_[i] : INT64_MAX; }
  // The requests that this one made, as far as is known.
  std::vector<std::uint32_t> calls_of(flow::ExchangeId id) const;
  // The one request that this connection carried at t, begun and not ended; unset: none, or several.
  std::optional<std::uint32_t> at(flow::ConnectionId connection, Nanos t) const;
  // Whose bytes were moved on the connection at t. Of streams side by side it is known only at their milestones;
  // several can have theirs at the same time: shared, and unset.
  std::optional<std::uint32_t> moved(flow::ConnectionId connection, Nanos t, bool& shared) const;
  // Which of the requests on its connection made this call: itself where nobody is known.
  flow::ExchangeId owner(std::uint32_t row) const;
  // The request over HTTP/2 whose handler this goroutine runs; unset: none.
  std::optional<std::uint32_t> handled_by(std::uint32_t pid, std::uint64_t goroutine) const;
  // When it ended is known.
  bool ends(flow::ExchangeId id) const;
  // This request had ended by t.
  bool over(flow::ExchangeId id, Nanos t) const;
  const flow::RequestTable& table() const { return table_; }

 private:
  std::span<const std::uint32_t> of(flow::ConnectionId connection) const;

  const flow::RequestTable& table_;
  std::vector<ExchangeNote> notes_;           // ascending by id
  std::vector<std::uint32_t> by_connection_;  // rows by (connection, start)
  std::vector<std::uint32_t> connection_at_;  // by ConnectionId: where its rows begin in there
  std::vector<std::uint32_t> by_id_;
  std::vector<std::uint32_t> by_end_;
  std::vector<Nanos> began_;
  struct Milestone {
    flow::ConnectionId connection = 0;
    std::uint32_t row = 0;
    Nanos time = 0;
  };
  std::vector<Milestone> milestones_;  // of streams, by (connection, time)
  struct Handling {
    std::uint32_t pid = 0;
    std::uint64_t goroutine = 0;
    std::uint32_t row = 0;
  };
  std::vector<Handling> handling_;                                   // ascending by (pid, goroutine)
  std::vector<std::pair<flow::ExchangeId, flow::ExchangeId>> made_;  // who, which; ascending
};

}  // namespace tailcap::partition
