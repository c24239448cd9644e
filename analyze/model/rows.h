// The rows of the request table, packed: what every pass needs at a fixed place, the rest as a few bytes each.
//
// Reads like an array of Request, by value: rows[i] unpacks. Some 65 bytes per request, 8 more where its other end is
// known, and no second copy when it grows: the table is what grows most with the capture.
#pragma once

#include <array>
#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

#include "analyze/model/packed/bytes.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

struct Request;

// What a row says of who and what, without the rest.
struct RowNames {
  TextId method = 0, path = 0, authority = 0, comm = 0;
  std::uint32_t pid = 0;
};

// Bytes of its messages (see Request).
struct RowBytes {
  std::int64_t request = 0, response = 0;
};

// Who worked on it, and its phases (see Request).
struct RowWork {
  std::uint32_t pid = 0, tid = 0, stream = 0;
  std::array<std::int64_t, 6> phases{};
};

class Rows {
 public:
  class Iterator {
   public:
    using value_type = Request;
    using difference_type = std::ptrdiff_t;
    using reference = Request;
    using pointer = void;
    using iterator_category = std::input_iterator_tag;
    Iterator() = default;
    Iterator(const Rows& rows, std::size_t i) : rows_(&rows), i_(i) {}
    Request operator*() const;
    Iterator& operator++() {
      ++i_;
      return *this;
    }
    Iterator operator++(int) { return {*rows_, i_++}; }
    bool operator==(const Iterator& other) const { return i_ == other.i_; }

   private:
    const Rows* rows_ = nullptr;
    std::size_t i_ = 0;
  };

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Request operator[](std::size_t i) const;
  Request back() const;
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size_}; }

  void push_back(const Request& row);
  void set(std::size_t i, const Request& row);

  // Without unpacking.
  ExchangeId id(std::size_t i) const { return fixed(i).id; }
  ExchangeId peer(std::size_t i) const {
    assert(i < size_);
    const auto& chunk = peers_[i / kChunk];
    return chunk ? chunk[i % kChunk] : ExchangeId{};
  }
  Time start(std::size_t i) const { return fixed(i).start; }
  bool has_duration(std::size_t i) const { return fixed(i).duration >= 0; }
  Duration duration(std::size_t i) const { return Duration{fixed(i).duration}; }  // where has_duration
  TextId route(std::size_t i) const { return fixed(i).route; }
  Taints taints(std::size_t i) const { return fixed(i).taints; }
  std::uint16_t status(std::size_t i) const { return fixed(i).status; }
  Role role(std::size_t i) const { return static_cast<Role>(fixed(i).bits & kRole); }
  Outcome outcome(std::size_t i) const { return static_cast<Outcome>(fixed(i).bits >> kOutcomeAt & kOutcome); }
  Protocol protocol(std::size_t i) const { return static_cast<Protocol>(fixed(i).bits >> kProtocolAt & kProtocol); }
  bool complete(std::size_t i) const { return (fixed(i).bits & kComplete) != 0; }
  bool tls(std::size_t i) const { return (fixed(i).bits & kTls) != 0; }
  bool has_phases(std::size_t i) const { return (fixed(i).bits & kPhases) != 0; }
  // Most requests have nothing that is rare: attempts, flow control, and the like (see Request).
  bool has_rare(std::size_t i) const { return (fixed(i).bits & kRare) != 0; }
  RowNames names(std::size_t i) const;  // unpacks a part
  RowBytes bytes(std::size_t i) const;  // likewise
  RowWork work(std::size_t i) const;    // likewise
  void set_peer(std::size_t i, ExchangeId peer);
  void set_route(std::size_t i, TextId route) { fixed(i).route = route; }
  void add_taints(std::size_t i, Taints taints) { fixed(i).taints |= taints; }

  // Puts at i what was at from[i]; from is a permutation.
  void permute(const std::vector<std::uint32_t>& from);
  // Keeps the rows whose numbers are given, ascending, in that order.
  void keep(const std::vector<std::uint32_t>& rows);
  // A copy of those.
  Rows only(const std::vector<std::uint32_t>& rows) const;

 private:
  // In Fixed::bits.
  static constexpr std::uint16_t kRole = 1, kComplete = 1u << 1, kPhases = 1u << 2, kOutcomeAt = 4, kOutcome = 15,
                                 kProtocolAt = 8, kProtocol = 15;
  static constexpr std::uint16_t kWindowsKnown = 1u << 12;  // flow control held up neither message, or kRare tells
  static constexpr std::uint16_t kRare = 1u << 13;
  static constexpr std::uint16_t kTls = 1u << 14;
  struct Fixed {
    Time start;
    std::int64_t duration;  // negative: unknown
    ExchangeId id;
    std::uint32_t packed;  // place in bytes_
    TextId route;
    Taints taints;
    std::uint16_t bits, status;
  };
  static_assert(sizeof(Fixed) == 40);
  static constexpr std::size_t kChunk = 4096;  // rows
  Fixed& fixed(std::size_t i) {
    assert(i < size_);
    return chunks_[i / kChunk][i % kChunk];
  }
  const Fixed& fixed(std::size_t i) const {
    assert(i < size_);
    return chunks_[i / kChunk][i % kChunk];
  }
  std::uint32_t pack(const Request& row, std::uint64_t rare);
  const std::uint8_t* packed(const Fixed& f) const { return bytes_.at(f.packed); }
  void move(std::size_t from, std::size_t to);

  std::vector<std::unique_ptr<Fixed[]>> chunks_;
  std::size_t size_ = 0;
  std::vector<std::unique_ptr<ExchangeId[]>> peers_;  // by chunk; empty: of none of its rows
  PackedBytes bytes_;
};

}  // namespace tailcap::model
