// Columns that no table can derive from a field alone, of the fields that formats/fields/*.h say are stored by_hand.
//
// Io, Arrival, TlsIo: a position is stored only where it is not what the event before leads to expect, and `how` says
// so. OffCpu: its beginnings are differences that may be too large for their columns, and `how` says so. collect.h and
// event_decoder.cc store and read them.
#pragma once

#include <cstdint>
#include <tuple>

#include "formats/socket_event.h"
#include "formats/thread_event.h"
#include "formats/tls_event.h"

namespace tailcap::formats::columns {

// Bits of `how` of Io and Arrival. The low three are Payload.
inline constexpr std::uint8_t kHowPayload = 0x07, kHowTruncated = 0x08, kHowPosition = 0x10, kHowMissed = 0x20,
                              kHowError = 0x40, kHowContinued = 0x80;
// Bits of `how` of TlsIo, beside those of payload, position, missed and continued.
inline constexpr std::uint8_t kHowBegan = 0x40;
// Bits of `how` of OffCpu.
inline constexpr std::uint8_t kHowLeft = 0x01, kHowRunnable = 0x02, kHowNotWoken = 0x04, kHowOffMissed = 0x08,
                              kHowThrottled = 0x10, kHowTimed = 0x20, kHowStolen = 0x40, kHowOngoing = 0x80;

// A column with its number in the kind's struct of capture.capnp. Sparse: with entries for some events only.
template <int kNumber, bool kSparse, class Held>
struct OwnColumn {
  static constexpr int number = kNumber;
  static constexpr bool sparse = kSparse;
  Held& column;
};
template <int kNumber, class Held>
auto dense(Held& column) {
  return OwnColumn<kNumber, false, Held>{column};
}
template <int kNumber, class Held>
auto sparse(Held& column) {
  return OwnColumn<kNumber, true, Held>{column};
}

template <class B, template <class> class C>
struct OwnColumns {
  std::tuple<> own() { return {}; }
};

template <template <class> class C>
struct OwnColumns<Io, C> {
  C<std::uint16_t> socket;
  C<std::uint8_t> how;
  C<std::uint16_t> syscall;
  C<std::uint32_t> length;
  C<std::uint16_t> head, tail;
  C<std::uint64_t> position;
  C<std::uint16_t> missed;
  C<std::int32_t> error;
  auto own() {
    return std::tuple{dense<0>(socket), dense<1>(how),       dense<2>(syscall), dense<3>(length), dense<4>(head),
                      dense<5>(tail),   sparse<6>(position), sparse<7>(missed), sparse<8>(error)};
  }
};

template <template <class> class C>
struct OwnColumns<Arrival, C> {
  C<std::uint16_t> socket;
  C<std::uint8_t> how;
  C<std::uint32_t> length, position;
  C<std::uint16_t> missed;
  auto own() {
    return std::tuple{dense<0>(socket), dense<1>(how), dense<2>(length), sparse<3>(position), sparse<4>(missed)};
  }
};

template <template <class> class C>
struct OwnColumns<TlsIo, C> {
  C<std::uint16_t> session;
  C<std::uint8_t> how;
  C<std::uint32_t> length, took;
  C<std::uint16_t> head, tail;
  C<std::uint64_t> position;
  C<std::uint16_t> missed;
  C<std::int64_t> began;
  auto own() {
    return std::tuple{dense<0>(session), dense<1>(how),       dense<2>(length),  dense<3>(took),  dense<4>(head),
                      dense<5>(tail),    sparse<6>(position), sparse<7>(missed), sparse<8>(began)};
  }
};

template <template <class> class C>
struct OwnColumns<OffCpu, C> {
  C<std::uint8_t> how;
  C<std::uint32_t> off, queued;
  C<std::int64_t> left, runnable;
  C<std::uint16_t> missed;
  C<std::int64_t> stolen;
  auto own() {
    return std::tuple{dense<0>(how),       dense<1>(off),      dense<2>(queued),  sparse<8>(left),
                      sparse<9>(runnable), sparse<10>(missed), sparse<14>(stolen)};
  }
};

}  // namespace tailcap::formats::columns
