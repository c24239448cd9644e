// The dynamic table of one direction, as far as it is known.
//
// Why an index can be certain although the table is not. Entries are counted from the newest; what evicts takes from
// the oldest end; an entry larger than the table empties it and is not added, after which no index reaches behind it.
// An index that a conforming encoder sends therefore names the i-th newest insertion, whatever the capacity is and
// whatever was evicted. So after a loss every index into what was inserted since is certain, and every other one
// unknown.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace tailcap::protocols::hpack {

// Names an insertion: the number-th since the last loss (or the beginning), from 1. Numbers ≤ 0 lie before it, and an
// entry unknown here may be known at the connection's other end.
struct EntryId {
  std::uint32_t epoch = 0;  // losses so far
  std::int64_t number = 0;
  bool operator==(const EntryId&) const = default;
};

struct Entry {
  std::string_view name, value;  // until the next change of the table
  bool name_known = false, value_known = false;
};

class DynamicTable {
 public:
  // Memory for one table. An encoder that was allowed more is followed; what no longer fits becomes unknown.
  static constexpr std::size_t kMaxStored = 64u << 10;
  static constexpr std::uint64_t kInitialCapacity = 4096;  // RFC 9113, 6.5.2

  enum class Found { known, unknown, absent };  // absent: no conforming encoder can have sent this index
  // index: from 1, the newest.
  Found find(std::uint64_t index, Entry& out) const;
  EntryId id_of(std::uint64_t index) const;

  // nullopt: not known. The views may point into the table.
  void insert(std::optional<std::string_view> name, std::optional<std::string_view> value);
  void resize(std::uint64_t capacity);
  // An unknown number of insertions and size changes went by unseen.
  void lose();

  // Every entry is accounted for.
  bool certain() const { return certain_; }
  std::uint64_t size() const { return size_; }  // as RFC 7541, 4.1 counts, of the entries held
  std::size_t entries() const { return entries_.size(); }

 private:
  struct Held {
    std::string text;  // name and value
    std::uint32_t name_size = 0;
    bool name_known = false, value_known = false;
    std::uint64_t size() const { return text.size() + 32; }  // a lower bound where a part is not known
    bool exact() const { return name_known && value_known; }
  };
  void evict_to(std::uint64_t capacity);
  void drop_oldest();
  void clear();

  std::deque<Held> entries_;  // newest at the back
  std::uint64_t size_ = 0;
  std::uint64_t inexact_ = 0;                                 // held entries whose size is not known
  std::optional<std::uint64_t> capacity_ = kInitialCapacity;  // nullopt: unknown
  bool certain_ = true;  // entries_ is the whole table, and capacity_ and size_ are exact
  std::uint32_t epoch_ = 0;
  std::int64_t inserted_ = 0;  // since the epoch began
};

}  // namespace tailcap::protocols::hpack
