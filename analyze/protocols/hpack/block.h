// A captured header block: its bytes, some of which may not be known.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::protocols::hpack {

class HeaderBlock {
 public:
  // With more gaps than this in one block, the rest of it is not decoded.
  static constexpr std::size_t kMaxHoles = 64;

  void clear();
  void append(std::string_view known) { bytes_.append(known); }
  void append_unknown(std::size_t length);
  // The following bytes are not held; their number does not matter.
  void cut_here() { cut_ = true; }
  bool cut() const { return cut_; }
  std::size_t size() const { return bytes_.size(); }
  bool whole() const { return holes_.empty(); }
  // All bytes; those that are not known are zero.
  std::string_view bytes() const { return bytes_; }
  // Whether every byte of [begin, end) is known.
  bool known(std::size_t begin, std::size_t end) const;

 private:
  struct Hole {
    std::size_t begin, end;
  };
  std::string bytes_;
  std::vector<Hole> holes_;  // ascending, apart
  bool cut_ = false;
};

}  // namespace tailcap::protocols::hpack
