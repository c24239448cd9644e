// The last turn of each request on an event loop. Each request is looked up several times, so a look-up costs one cache
// miss: a table without nodes.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "analyze/model/wire/exchange.h"

namespace tailcap::partition {

class LastTurns {
 public:
  // The number of its last turn; 0: none.
  std::uint64_t of(model::ExchangeId id) const {
    return entries_.empty() ? 0 : entries_[place_of(key_of(id), entries_)].turn;
  }
  // Sets it, and returns what it was. id: its connection is not 0.
  std::uint64_t exchange(model::ExchangeId id, std::uint64_t turn) {
    if (used_ * 2 >= entries_.size()) rebuild(entries_.empty() ? kLeast : entries_.size() * 2, 0);
    Entry& entry = entries_[place_of(key_of(id), entries_)];
    used_ += entry.key == 0;
    entry.key = key_of(id);
    return std::exchange(entry.turn, turn);
  }
  // Forgets turns with lower numbers.
  void forget_before(std::uint64_t turn) {
    std::size_t kept = 0;
    for (const Entry& entry : entries_) kept += entry.key != 0 && entry.turn >= turn;
    std::size_t size = std::max(kLeast, entries_.size() / 2);  // as many may come as went
    while (size <= kept * 2) size *= 2;
    rebuild(size, turn);
  }

 private:
  struct Entry {
    std::uint64_t key = 0;  // 0: free
    std::uint64_t turn = 0;
  };
  static constexpr std::size_t kLeast = 64;

  static std::uint64_t key_of(model::ExchangeId id) { return std::uint64_t{id.connection} << 32 | id.index; }
  // That of the key, or the free one where it belongs. The number of entries is a power of two, and some are free.
  static std::size_t place_of(std::uint64_t key, const std::vector<Entry>& entries) {
    std::uint64_t hash = key * 0x9e3779b97f4a7c15;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93;
    std::size_t at = static_cast<std::size_t>(hash ^ hash >> 32) & (entries.size() - 1);
    while (entries[at].key != key && entries[at].key != 0) at = (at + 1) & (entries.size() - 1);
    return at;
  }
  void rebuild(std::size_t size, std::uint64_t oldest) {
    before_.swap(entries_);
    entries_.assign(size, {});
    used_ = 0;
    for (const Entry& entry : before_) {
      if (entry.key == 0 || entry.turn < oldest) continue;
      entries_[place_of(entry.key, entries_)] = entry;
      ++used_;
    }
  }

  std::vector<Entry> entries_;
  std::vector<Entry> before_;  // its memory is used again: that of a new table costs as much as filling it
  std::size_t used_ = 0;
};

}  // namespace tailcap::partition
