// An open-addressing table from hashes to small indices, emptied in no time: the index of one block's entries.
//
// The entries themselves stay with the caller, who compares them. Bounded: what finds no place within kProbes slots is
// not remembered, which costs a duplicate entry and never time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailcap::formats::columns {

inline constexpr std::uint32_t kNoIndex = 0xffffffff;

class SlotTable {
 public:
  // 2^bits slots; at most half of them should be used between two clears.
  explicit SlotTable(unsigned bits) : shift_(64 - bits), slots_(std::size_t{1} << bits) {}

  // The index under which an entry was put that `same` accepts; kNoIndex and `next` put in its place otherwise.
  template <class Same>
  std::uint32_t find_or_put(std::uint64_t hash, std::uint32_t next, Same same) {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = hash >> shift_;
    for (int probe = 0; probe < kProbes; ++probe, at = (at + 1) & mask) {
      Slot& slot = slots_[at];
      if (slot.generation != generation_) {
        slot = {generation_, next};
        return kNoIndex;
      }
      if (same(slot.index)) return slot.index;
    }
    return kNoIndex;
  }

  void clear() {
    if (++generation_ != 0) return;
    slots_.assign(slots_.size(), Slot{});
    generation_ = 1;
  }

 private:
  static constexpr int kProbes = 32;
  struct Slot {
    std::uint32_t generation = 0;
    std::uint32_t index = 0;
  };
  unsigned shift_;
  std::uint32_t generation_ = 1;
  std::vector<Slot> slots_;
};

}  // namespace tailcap::formats::columns
