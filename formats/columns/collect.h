// How a Collector stores events. Included by collector.cc alone.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "formats/columns/collector.h"

namespace tailcap::formats::columns {

// Longer names and heads are cut: nothing that is recorded comes near it, and a block stays below kMaxBlockRaw.
inline constexpr std::size_t kMaxPiece = 1u << 20;

// Differences of extreme values wrap instead of overflowing; the reader adds with the same arithmetic.
inline std::uint64_t difference(Time later, Time earlier) {
  return static_cast<std::uint64_t>(nanoseconds(later)) - static_cast<std::uint64_t>(nanoseconds(earlier));
}

// An event's fields into the columns of its kind: as the kind's table says, then what own() adds.
struct Collector::Add {
  Collector& to;
  const Event& event;
  BlockColumns<Column>& c;

  template <class B>
  void operator()(const B& body) {
    constexpr auto& kinds = Table<B>::kinds;
    if constexpr (!is_stored(kinds[0].kind))
      assert(!"the reader makes such events");
    else if constexpr (kTwoKinds<B>)
      add(body.direction == Direction::out ? c.of<kinds[0].kind>() : c.of<kinds[1].kind>(), body);
    else
      add(c.of<kinds[0].kind>(), body);
  }

  template <class B>
  void add(KindColumns<B, Column>& k, const B& body) {
    k.each_field(body, [&](const auto& field, const auto& value, auto& column) {
      column.push_back(stored<std::remove_cvref_t<decltype(field)>::as>(value));
    });
    own(k, body);
    to.block_->raw_bytes += k.kDenseBytes;
  }

  template <As kAs, class T>
  auto stored(const T& value) {
    if constexpr (kAs == As::socket) {
      std::uint32_t index;
      return to.socket_ref(value, index);
    } else if constexpr (kAs == As::other_socket) {
      return value == 0 ? std::uint16_t{0} : ref_beside(value);
    } else if constexpr (kAs == As::session) {
      return ref_beside(value);
    } else if constexpr (kAs == As::took) {
      return difference(event.time, value);
    } else if constexpr (kAs == As::less_one) {
      return value - 1;
    } else if constexpr (std::is_same_v<T, std::string_view>) {
      return piece(value);
    } else if constexpr (std::is_same_v<T, Address>) {
      return address(value);
    } else if constexpr (std::is_same_v<T, Time>) {
      return nanoseconds(value);
    } else if constexpr (std::is_same_v<T, Duration>) {
      return value.count();
    } else if constexpr (std::is_enum_v<T>) {
      return static_cast<std::uint8_t>(value);
    } else {
      return value;
    }
  }

  std::uint16_t piece(std::string_view bytes) { return to.piece_ref(bytes.substr(0, kMaxPiece)); }
  std::uint16_t address(const Address& a) {
    if (a.bytes == decltype(a.bytes){}) return 0;
    return piece({reinterpret_cast<const char*>(a.bytes.data()), a.bytes.size()});
  }
  // A ref that takes no part in the rule for sockets left out.
  std::uint16_t ref_beside(SocketId id) { return static_cast<std::uint16_t>(to.socket_index(id) + 1); }

  template <class B>
  void own(KindColumns<B, Column>&, const B&) {}
  void own(KindColumns<Loss, Column>&, const Loss& l) {
    auto& lost = to.block_->lost;
    lost = lost + l.count < lost ? std::numeric_limits<std::uint64_t>::max() : lost + l.count;
  }

  // What sends and receives of sockets and of TLS sessions have in common. Returns `how` as far as that goes.
  template <class K, class AnyIo>
  std::uint8_t moved(K& k, const AnyIo& io, std::uint32_t index) {
    auto& state = to.socket_states_[index];
    auto& expected = io.direction == Direction::out ? state.next_out : state.next_in;
    std::uint8_t how = static_cast<std::uint8_t>(io.payload) & kHowPayload;
    if (io.continued) how |= kHowContinued;
    if (io.position != expected) {
      how |= kHowPosition;
      k.position.push_back(io.position);
    }
    expected = io.position + io.length;
    if (io.missed != 0) {
      how |= kHowMissed;
      k.missed.push_back(io.missed);
    }
    k.length.push_back(io.length);
    k.head.push_back(piece(io.head));
    // The last bytes of the tail are the ones that count.
    k.tail.push_back(to.piece_ref(io.tail.substr(io.tail.size() - std::min(io.tail.size(), kMaxPiece))));
    return how;
  }
  void own(KindColumns<Io, Column>& k, const Io& io) {
    std::uint32_t index;
    k.socket.push_back(to.socket_ref(io.socket, index));
    std::uint8_t how = moved(k, io, index);
    if (io.truncated) how |= kHowTruncated;
    if (io.error != 0) {
      how |= kHowError;
      k.error.push_back(io.error);
    }
    k.how.push_back(how);
    k.syscall.push_back(io.syscall);
  }
  void own(KindColumns<Arrival, Column>& k, const Arrival& arrival) {
    std::uint32_t index;
    k.socket.push_back(to.socket_ref(arrival.socket, index));
    std::uint8_t how = 0;
    auto& expected = to.socket_states_[index].next_arrival;
    if (arrival.position != expected) {
      how |= kHowPosition;
      k.position.push_back(arrival.position);
    }
    expected = arrival.position + arrival.length;
    if (arrival.missed != 0) {
      how |= kHowMissed;
      k.missed.push_back(arrival.missed);
    }
    k.how.push_back(how);
    k.length.push_back(arrival.length);
  }
  void own(KindColumns<OffCpu, Column>& k, const OffCpu& o) {
    std::uint8_t how = 0;
    const auto interval = [&](Time start, Column<std::uint32_t>& column, Column<std::int64_t>& sparse,
                              std::uint8_t bit) {
      const auto length = difference(event.time, start);
      const bool fits = known(start) && length <= std::numeric_limits<std::uint32_t>::max();
      column.push_back(fits ? static_cast<std::uint32_t>(length) : 0);
      if (fits) return;
      how |= bit;
      sparse.push_back(nanoseconds(start));
    };
    interval(o.left, k.off, k.left, kHowLeft);
    if (known(o.runnable)) {
      interval(o.runnable, k.queued, k.runnable, kHowRunnable);
    } else {
      how |= kHowNotWoken;
      k.queued.push_back(0);
    }
    if (o.missed != 0) {
      how |= kHowOffMissed;
      k.missed.push_back(o.missed);
    }
    if (o.throttled) how |= kHowThrottled;
    if (o.timed) how |= kHowTimed;
    if (o.ongoing) how |= kHowOngoing;
    if (o.stolen.count() != 0) {
      how |= kHowStolen;
      k.stolen.push_back(o.stolen.count());
    }
    k.how.push_back(how);
  }
  void own(KindColumns<TlsIo, Column>& k, const TlsIo& io) {
    const std::uint32_t index = to.socket_index(io.session);
    k.session.push_back(static_cast<std::uint16_t>(index + 1));
    std::uint8_t how = moved(k, io, index);
    const auto took = difference(event.time, io.began);
    const bool fits = known(io.began) && took <= std::numeric_limits<std::uint32_t>::max();
    k.took.push_back(fits ? static_cast<std::uint32_t>(took) : 0);
    if (!fits) {
      how |= kHowBegan;
      k.began.push_back(nanoseconds(io.began));
    }
    k.how.push_back(how);
  }
};

}  // namespace tailcap::formats::columns
