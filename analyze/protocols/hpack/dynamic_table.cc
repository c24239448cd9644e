#include "analyze/protocols/hpack/dynamic_table.h"

namespace tailcap::protocols::hpack {

DynamicTable::Found DynamicTable::find(std::uint64_t index, Entry& out) const {
  if (index == 0) return Found::absent;
  if (index > entries_.size()) return certain_ ? Found::absent : Found::unknown;
  const Held& held = entries_[entries_.size() - index];
  const std::string_view text = held.text;
  out = {text.substr(0, held.name_size), text.substr(held.name_size), held.name_known, held.value_known};
  return held.name_known && held.value_known ? Found::known : Found::unknown;
}

EntryId DynamicTable::id_of(std::uint64_t index) const {
  return {epoch_, inserted_ - static_cast<std::int64_t>(index) + 1};
}

void DynamicTable::clear() {
  entries_.clear();
  size_ = inexact_ = 0;
}

void DynamicTable::drop_oldest() {
  size_ -= entries_.front().size();
  inexact_ -= !entries_.front().exact();
  entries_.pop_front();
}

void DynamicTable::evict_to(std::uint64_t capacity) {
  while (size_ > capacity) {
    drop_oldest();
    // Only the oldest go: when one that we hold had to, all that we did not know are gone as well. Sizes of entries
    // with unknown parts are lower bounds, so this is right for them too, but the size is not exact while one is held.
    certain_ = inexact_ == 0;
  }
}

void DynamicTable::insert(std::optional<std::string_view> name, std::optional<std::string_view> value) {
  Held held;  // made before anything is evicted: name may be that of the entry about to go (RFC 7541, 4.4)
  held.text.reserve((name ? name->size() : 0) + (value ? value->size() : 0));
  if (name) held.text.append(*name);
  held.name_size = static_cast<std::uint32_t>(held.text.size());
  if (value) held.text.append(*value);
  held.name_known = name.has_value();
  held.value_known = value.has_value();
  ++inserted_;
  if (!held.exact()) certain_ = false;  // its size is not known: nor is what it evicts
  const std::uint64_t size = held.size();
  if (capacity_ && size > *capacity_) {  // RFC 7541, 4.4: empties the table, and is no error
    clear();
    certain_ = true;
    return;
  }
  if (capacity_) evict_to(*capacity_ - size);
  if (size > kMaxStored) {  // held nowhere: what came before is out of reach by index from here on
    clear();
    certain_ = false;
    ++epoch_;
    inserted_ = 0;
    return;
  }
  inexact_ += !held.exact();
  entries_.push_back(std::move(held));
  size_ += size;
  while (size_ > kMaxStored) {
    drop_oldest();
    certain_ = false;
  }
}

void DynamicTable::resize(std::uint64_t capacity) {
  capacity_ = capacity;
  if (capacity < 32) {  // no entry is smaller: the table is empty, and that is certain
    clear();
    certain_ = true;
    return;
  }
  evict_to(capacity);
}

void DynamicTable::lose() {
  clear();
  capacity_.reset();
  certain_ = false;
  ++epoch_;
  inserted_ = 0;
}

}  // namespace tailcap::protocols::hpack
