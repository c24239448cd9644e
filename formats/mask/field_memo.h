// What became of the last heads, without their start lines, and of the last field lines. Most lines of a head are those
// of the head before it, and the result depends on nothing but the bytes and the rules.
//
// No byte that is masked is in here: a value that is masked, whatever it is, is known by its place.
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
  static constexpr std::size_t kMost = 160, kMostOfHead = 1024;  // bytes of a line with its line feed, and of a head

  // A value that is masked, whatever it is.
  struct Hidden {
    std::uint16_t begin = 0, end = 0;
  };
  struct Line {
    std::uint8_t length = 0;  // 0: none
    // As Fields has them behind the line; the value only where it is noted.
    std::uint8_t noted = 0, value_begin = 0, value_end = 0;
    Value kind = Value::masked;
    bool shown = false;
    Hidden hidden;  // none: empty
    std::array<char, kMost> text;
    std::string_view masked() const { return {text.data(), length}; }
    std::string_view value() const { return masked().substr(value_begin, value_end - value_begin); }
  };
  struct Head {
    std::string masked;  // empty: none
    std::vector<Hidden> hidden;
    Framing framing;
    bool fits(std::string_view bytes) const {
      if (masked.empty() || bytes.size() < masked.size()) return false;
      std::size_t at = 0;
      for (const Hidden& h : hidden) {
        if (!same(bytes, masked, at, h.begin)) return false;
        if (std::memchr(bytes.data() + h.begin, '\n', h.end - h.begin) || is_odd(bytes, h)) return false;
        at = h.end;
      }
      return same(bytes, masked, at, masked.size());
    }
  };

  const Line* find(std::string_view line) const {
    const Line& known = lines_[place(line)];
    if (known.length != line.size()) return nullptr;
    if (known.hidden.end == 0) return same(line, known.masked(), 0, line.size()) ? &known : nullptr;
    return same(line, known.masked(), 0, known.hidden.begin) &&
                   same(line, known.masked(), known.hidden.end, line.size()) && !is_odd(line, known.hidden)
               ? &known
               : nullptr;
  }
  // line: of kMost bytes at most, as it was read. It takes the place of another one.
  Line& keep(std::string_view line, std::string_view masked, Hidden hidden) {
    Line& known = lines_[place(line)];
    known.length = static_cast<std::uint8_t>(line.size());
    known.hidden = hidden;
    masked.copy(known.text.data(), kMost);
    return known;
  }

  const Head& head(std::uint32_t number) const { return heads_[number % kHeads]; }
  // hidden: ascending. Returns the head's number, which is given to another one some time later.
  std::uint32_t keep_head(std::string_view masked, const std::vector<Hidden>& hidden, const Framing& framing) {
    next_ = (next_ + 1) % kHeads;
    heads_[next_].masked = masked;
    heads_[next_].hidden = hidden;
    heads_[next_].framing = framing;
    return next_;
  }

 private:
  static constexpr std::size_t kLines = 1024, kHeads = 1024;

  static bool same(std::string_view a, std::string_view b, std::size_t begin, std::size_t end) {
    return std::memcmp(a.data() + begin, b.data() + begin, end - begin) == 0;
  }
  // A CR is no part of a value, and neither is a zero byte: Fields looks at such lines itself.
  static bool is_odd(std::string_view bytes, const Hidden& h) {
    const std::size_t size = h.end - h.begin;
    return std::memchr(bytes.data() + h.begin, '\r', size) || std::memchr(bytes.data() + h.begin, '\0', size);
  }
  // By the length, the first eight and the last four bytes.
  static std::size_t place(std::string_view line) {
    std::uint64_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, line.data(), line.size() < sizeof first ? line.size() : sizeof first);
    if (line.size() >= sizeof last) std::memcpy(&last, line.data() + line.size() - sizeof last, sizeof last);
    const std::uint64_t hash = (first ^ (std::uint64_t{last} << 24) ^ line.size()) * 0x9e3779b97f4a7c15u;
    return (hash >> 32) % kLines;
  }

  std::vector<Line> lines_ = std::vector<Line>(kLines);
  std::vector<Head> heads_ = std::vector<Head>(kHeads);
  std::uint32_t next_ = 0;
};

}  // namespace tailcap::formats::mask
