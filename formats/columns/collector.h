// Collects events of one stream into the columns of a block.
//
// This is the recording thread's share of the work, at up to half a million events a second: a few stores per field,
// one hash look-up per socket and per piece of bytes, no allocation once the columns have grown to the size of a block.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "formats/columns/columns.h"
#include "formats/columns/slot_table.h"
#include "formats/event.h"

namespace tailcap::formats::columns {

// Collected events, ready to be encoded: columns and the contents of the block's header.
struct CollectedBlock {
  BlockColumns<Column> columns;
  std::uint32_t events = 0;
  std::uint64_t lost = 0;  // sum of the counts of loss events, saturating
  Time first = kNoTime, last = kNoTime;
  std::uint64_t raw_bytes = 0;  // approximate size of the message

  // Empties the columns; they keep their memory.
  void clear();
};

class Collector {
 public:
  Collector();

  // Copies the event into the columns. Not while full(); the event's times must be within [0, kMaxTime].
  void add(const Event& event);

  // No further event may be added before take().
  bool full() const;
  bool empty() const { return block_->events == 0; }
  std::uint32_t events() const { return block_->events; }
  Time opened() const { return opened_; }  // time of the first event added; meaningless while empty

  // Returns what was collected and continues with `next`, which must be clear.
  std::unique_ptr<CollectedBlock> take(std::unique_ptr<CollectedBlock> next);

 private:
  struct Add;
  struct SocketState {
    std::uint64_t next_out = 0, next_in = 0;
    std::uint32_t next_arrival = 0;
  };

  std::uint32_t thread_index(Thread thread);
  std::uint16_t socket_ref(SocketId socket, std::uint32_t& index);
  std::uint32_t socket_index(SocketId socket);
  std::uint16_t piece_ref(std::string_view bytes);
  void goroutine(std::uint64_t goroutine);

  std::unique_ptr<CollectedBlock> block_;
  Time opened_ = kNoTime;
  std::int64_t previous_time_ = 0;
  // The indices below count the entries of the block's tables from 0; refs count from 1.
  SlotTable threads_, sockets_, pieces_, goroutines_;
  std::array<Thread, kKinds> last_thread_{};               // by kind
  std::array<std::uint32_t, kKinds> last_thread_index_{};  // by kind; kNoIndex before the first
  std::vector<std::uint32_t> socket_of_thread_;            // by thread index: socket of its last event
  std::vector<SocketState> socket_states_;                 // by socket index
  std::uint32_t thread_ = 0;                               // index of the thread of the event being added
  std::uint64_t seed_;                                     // random, so that colliding payloads cannot be chosen
};

}  // namespace tailcap::formats::columns
