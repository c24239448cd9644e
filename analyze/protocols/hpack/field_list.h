// The fields of one header block, in order, with what is not known of them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/protocols/hpack/dynamic_table.h"

namespace tailcap::protocols::hpack {

struct HeaderField {
  std::string_view name, value;  // valid until the list is changed; empty where not known
  bool name_known = false, value_known = false;
  bool never_indexed = false;  // the sender asks that it never be compressed: a secret
  EntryId entry;               // the dynamic entry it refers to or makes; number 0 in epoch 0: none
  bool known() const { return name_known && value_known; }
};

class FieldList {
 public:
  // An index of one byte can stand for an entry of kilobytes. What is more than this is counted and not kept.
  static constexpr std::size_t kMaxText = 64u << 10;
  static constexpr std::size_t kMaxFields = 1024;

  void clear();
  void add(const HeaderField& field);  // its views may point anywhere but into this list
  std::size_t size() const { return slices_.size(); }
  HeaderField operator[](std::size_t i) const;
  std::uint64_t dropped() const { return dropped_; }
  std::size_t text() const { return text_.size(); }  // bytes of all names and values

 private:
  struct Slice {
    std::uint32_t begin, name, value;
    bool name_known, value_known, never_indexed;
    EntryId entry;
  };
  std::string text_;
  std::vector<Slice> slices_;
  std::uint64_t dropped_ = 0;
};

}  // namespace tailcap::protocols::hpack
