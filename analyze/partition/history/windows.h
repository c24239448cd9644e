// The requests to be partitioned, with look-up by time, by id, by connection and by parent.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/row_index.h"
#include "analyze/partition/history/log.h"
#include "ground/number_sort.h"

namespace tailcap::partition {

struct Window {
  std::uint32_t row = 0;
  model::ExchangeId id;
  model::Role role = model::Role::server;
  bool streams = false;  // its connection carries several requests at the same time
  std::uint32_t pid = 0, tid = 0;
  Nanos from = 0, to = 0;  // to == from: its end is not known
  bool phases = false;
  struct Stretch {
    model::Phase phase = model::Phase::work;
    Nanos from = 0, to = 0;
  };
  std::array<Stretch, 7> stretch{};  // in order of time; a phase can have two
  std::uint8_t stretches = 0;

  // Milestones; meaningful with phases. Server: read, read whole, response begun. Client: sent whole, arrived, read.
  Nanos first = 0, second = 0, third = 0;
  bool server() const { return role == model::Role::server; }
  bool ended() const { return to > from; }
};

// Facts of the exchange that the partition needs and the request table lacks; few requests have any.
struct ExchangeNote {
  model::ExchangeId id;
  Nanos head_done = 0;                     // start of its wait for 100 Continue
  std::vector<model::WindowWait> held_up;  // HTTP/2: its sender's waits for the peer's window
  // It had no answer when the recording ended. Server: its first and last byte were read; client: its last was sent.
  // 0: not yet.
  bool unfinished = false;
  Nanos first_read = 0, whole = 0;
};
std::optional<ExchangeNote> note_of(const model::Exchange& exchange);

class Windows {
 public:
  // notes: in any order. The table must be settled and must not change.
  Windows(const model::RequestTable& table, std::vector<ExchangeNote> notes);

  Window window(std::uint32_t row) const;
  // The recording ended then: from now on unfinished() has windows.
  void end_at(Nanos end) { end_ = end; }
  // The last kUnfinishedShown of a request that had no answer at the end of the recording; not ended() if it had one.
  Window unfinished(std::uint32_t row) const;
  // Rows, the oldest first, at most kMaxUnfinished.
  std::vector<std::uint32_t> all_unfinished() const;
  static constexpr std::size_t kMaxUnfinished = 10'000;
  std::optional<std::uint32_t> find(model::ExchangeId id) const { return index_.find(id); }
  const ExchangeNote* note(model::ExchangeId id) const;
  // Rows that have a partition, by their end.
  std::span<const std::uint32_t> by_end() const { return by_end_; }
  // The earliest start of the requests by_end()[i…].
  Nanos began(std::size_t i) const { return i < began_.size() ? began_[i] : INT64_MAX; }
  // The requests of this connection, in order of their beginning.
  std::span<const std::uint32_t> on(model::ConnectionId connection) const { return index_.of(connection); }
  // The known calls of this request.
  std::vector<std::uint32_t> calls_of(model::ExchangeId id) const;
  // Where the last look at a connection ended: the next is mostly near it.
  class Places {
   public:
    // The connection's; where another's was kept, or none, its number of rows.
    std::uint32_t& of(model::ConnectionId connection, std::size_t rows) {
      Place& place = places_[connection % places_.size()];
      if (place.connection != connection) place = {connection, static_cast<std::uint32_t>(rows)};
      return place.row;
    }

   private:
    struct Place {
      model::ConnectionId connection = 0;
      std::uint32_t row = 0;  // of the connection's
    };
    std::vector<Place> places_{4096};
  };
  // The only request under way on this connection at t; unset: none, or several.
  std::optional<std::uint32_t> at(model::ConnectionId connection, Nanos t) const;
  // The request whose bytes were moved on the connection at t. With concurrent streams it is known only at their
  // milestones. If several have a milestone at t, `shared` is set and the result is unset.
  std::optional<std::uint32_t> moved(model::ConnectionId connection, Nanos t, Places& places, bool& shared) const;
  // The parent of this call; the call itself where no parent is known.
  model::ExchangeId owner(std::uint32_t row) const;
  // The request over HTTP/2 whose handler this goroutine runs; unset: none.
  std::optional<std::uint32_t> handled_by(std::uint32_t pid, std::uint64_t goroutine) const;
  // The end of this request is known.
  bool ends(model::ExchangeId id) const;
  // This request had ended by t.
  bool over(model::ExchangeId id, Nanos t) const;
  bool over(std::uint32_t row, Nanos t) const;
  const model::RequestTable& table() const { return table_; }

 private:
  // The first of a connection's rows that begins after t; their number: none.
  std::size_t first_after(std::span<const std::uint32_t> rows, Nanos t, std::size_t low, std::size_t high) const;
  std::size_t first_after_near(std::span<const std::uint32_t> rows, Nanos t, std::size_t near) const;
  // at(), where that is known.
  std::optional<std::uint32_t> before(std::span<const std::uint32_t> rows, std::size_t after, Nanos t) const;

  const model::RequestTable& table_;
  const model::RowIndex index_;
  Nanos end_ = 0;
  std::vector<ExchangeNote> notes_;  // ascending by id
  std::vector<std::uint32_t> by_end_;
  std::vector<Nanos> began_;
  std::vector<std::vector<ground::Ranked>> milestones_;  // by connection: those of its streams, by (time, row)
  struct Handling {
    std::uint32_t pid = 0;
    std::uint64_t goroutine = 0;
    std::uint32_t row = 0;
  };
  std::vector<Handling> handling_;                                     // ascending by (pid, goroutine)
  std::vector<std::pair<model::ExchangeId, model::ExchangeId>> made_;  // (parent, call), ascending
};

}  // namespace tailcap::partition
