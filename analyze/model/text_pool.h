// Interned strings: each different text once, named by a small number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace tailcap::model {

using TextId = std::uint32_t;  // 0: absent

// 0 is "absent"; an empty string that was present has an id of its own. Ids count from 1 in order of interning.
// Views stay valid while the pool lives. Some 15 bytes over the text itself: paths can be as many as requests.
class TextPool {
 public:
  TextPool() = default;
  TextPool(TextPool&&) = default;
  TextPool& operator=(TextPool&&) = default;
  TextId intern(std::string_view text);
  // A new id for a text that is hardly ever the same twice; intern() and find() do not see it.
  TextId append(std::string_view text);
  // The id of a text that was interned, or 0.
  TextId find(std::string_view text) const;
  std::string_view operator[](TextId id) const;
  std::size_t size() const { return places_.size(); }

 private:
  std::size_t slot_of(std::string_view text, std::uint32_t hash) const;
  void grow();
  std::uint32_t store(std::string_view text);

  std::vector<std::uint32_t> places_;  // of each text: chunk and offset in units
  std::size_t interned_ = 0;
  std::vector<TextId> slots_;  // open addressing, a power of two, at most 3/4 full
  // By slot, a part of the hash; 0: the slot is empty. A search compares these first: texts lie all over the memory.
  std::vector<std::uint8_t> tags_;
  std::vector<std::unique_ptr<char[]>> chunks_;
  std::size_t open_ = 0;              // the chunk that is being filled
  std::size_t open_used_ = SIZE_MAX;  // bytes of it; at first there is none
};

}  // namespace tailcap::model
