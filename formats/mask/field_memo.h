// What became of the last heads, without their start lines, and of the last field lines. Most lines of a head are those
// of the head before it, and the result depends on nothing but the bytes and the rules.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "formats/mask/framing.h"
#include "formats/mask/value.h"

namespace tailcap::formats::mask {

class FieldMemo {
 public:
  static constexpr std::size_t kMost = 160;  // bytes of a line that is kept, with its line feed

  struct Line {
    std::uint8_t length = 0;  // 0: none
    // As Fields has them behind the line; the value only where it is noted.
    std::uint8_t noted = 0, value_begin = 0, value_end = 0;
    Value kind = Value::masked;
    bool shown = false;
    std::array<char, kMost> was, became;
    std::string_view masked() const { return {became.data(), length}; }
    std::string_view value() const {
      return std::string_view(was.data(), length).substr(value_begin, value_end - value_begin);
    }
  };

  const Line* find(std::string_view line) const {
    const Line& known = lines_[place(line)];
    return known.length == line.size() && std::memcmp(known.was.data(), line.data(), line.size()) == 0 ? &known
                                                                                                       : nullptr;
  }
  // became: as long as the line, which has kMost bytes at most. It takes the place of another one.
  Line& keep(std::string_view line, std::string_view became) {
    Line& known = lines_[place(line)];
    known.length = static_cast<std::uint8_t>(line.size());
    line.copy(known.was.data(), kMost);
    became.copy(known.became.data(), kMost);
    return known;
  }

  static constexpr std::size_t kMostOfHead = 1024;

  struct Head {
    std::string was, became;  // empty: none
    Framing framing;
  };
  const Head& head(std::uint32_t number) const { return heads_[number % kHeads]; }
  // Returns its number, which is given to another one some time later.
  std::uint32_t keep_head(std::string_view was, std::string_view became, const Framing& framing) {
    next_ = (next_ + 1) % kHeads;
    heads_[next_].was = was;
    heads_[next_].became = became;
    heads_[next_].framing = framing;
    return next_;
  }

 private:
  static constexpr std::size_t kLines = 1024, kHeads = 1024;

  // By the first and the last 16 bytes.
  static std::size_t place(std::string_view line) {
    std::array<std::uint64_t, 4> parts{};
    const std::size_t n = line.size() < 16 ? line.size() : 16;
    std::memcpy(parts.data(), line.data(), n);
    std::memcpy(parts.data() + 2, line.data() + (line.size() - n), n);
    std::uint64_t hash = line.size();
    for (const std::uint64_t part : parts) hash = (hash ^ part) * 0x9e3779b97f4a7c15u, hash ^= hash >> 32;
    return hash % kLines;
  }

  std::vector<Line> lines_ = std::vector<Line>(kLines);
  std::vector<Head> heads_ = std::vector<Head>(kHeads);
  std::uint32_t next_ = 0;
};

}  // namespace tailcap::formats::mask
