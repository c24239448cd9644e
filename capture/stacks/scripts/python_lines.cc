#include "capture/stacks/scripts/python_lines.h"

namespace tailcap::capture::stacks {

namespace {

constexpr std::int64_t kMostLine = 1 << 24;

// A run of instructions and its line. What a table says of one's whole code is believed only if it ends where the code
// does.
class LineRuns {
 public:
  LineRuns(const PythonLines& lines, std::uint32_t at) : lines_(lines), at_(at), line_(lines.first_line) {}

  void move(std::int64_t lines) { line_ += lines; }
  void pass(std::uint64_t bytes, bool has_line) {
    if (end_ <= at_ && at_ < end_ + bytes && has_line && line_ > 0 && line_ < kMostLine)
      found_ = static_cast<std::uint32_t>(line_);
    end_ += bytes;
  }
  std::uint64_t end() const { return end_; }
  std::optional<std::uint32_t> found() const { return end_ == lines_.code_bytes ? found_ : std::nullopt; }

 private:
  const PythonLines& lines_;
  std::uint32_t at_;
  std::uint64_t end_ = 0;
  std::int64_t line_;
  std::optional<std::uint32_t> found_;
};

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

// Pairs: by how many bytes, and by how many lines, the next run is further on.
std::optional<std::uint32_t> by_deltas(const PythonLines& lines, std::uint32_t at) {
  LineRuns runs(lines, at);
  for (std::size_t i = 0; i + 1 < lines.table.size(); i += 2) {
    runs.pass(byte_at(lines.table, i), true);
    runs.move(static_cast<std::int8_t>(lines.table[i + 1]));
  }
  if (lines.table.size() % 2 != 0 || runs.end() > lines.code_bytes) return std::nullopt;
  runs.pass(lines.code_bytes - runs.end(), true);  // the last line's instructions are in no pair
  return runs.found();
}

// Pairs: the size of a run in bytes, and by how many lines its line is above that of the run before.
std::optional<std::uint32_t> by_ranges(const PythonLines& lines, std::uint32_t at) {
  constexpr std::int8_t kNoLine = -128;
  LineRuns runs(lines, at);
  for (std::size_t i = 0; i + 1 < lines.table.size(); i += 2) {
    const auto further = static_cast<std::int8_t>(lines.table[i + 1]);
    if (further != kNoLine) runs.move(further);
    runs.pass(byte_at(lines.table, i), further != kNoLine);
  }
  return lines.table.size() % 2 == 0 ? runs.found() : std::nullopt;
}

// Numbers of six bits a byte, the lowest first.
class Varints {
 public:
  explicit Varints(std::string_view table) : rest_(table) {}

  bool done() const { return rest_.empty(); }
  bool valid() const { return valid_; }
  std::uint8_t byte() {
    if (rest_.empty()) {
      valid_ = false;
      return 0;
    }
    const auto value = byte_at(rest_, 0);
    rest_.remove_prefix(1);
    return value;
  }
  std::uint32_t number() {
    std::uint32_t value = 0;
    for (unsigned shift = 0; shift < 30; shift += 6) {
      const std::uint8_t part = byte();
      if (part & 0x80) valid_ = false;  // the beginning of an entry
      value |= std::uint32_t{part & 0x3fu} << shift;
      if (!(part & 0x40)) return value;
    }
    valid_ = false;
    return value;
  }
  std::int64_t signed_number() {
    const std::uint32_t value = number();
    return value & 1 ? -std::int64_t{value >> 1} : std::int64_t{value >> 1};
  }

 private:
  std::string_view rest_;
  bool valid_ = true;
};

std::optional<std::uint32_t> by_locations(const PythonLines& lines, std::uint32_t at) {
  constexpr unsigned kOneLine = 10, kNoColumns = 13, kLong = 14, kNone = 15;
  LineRuns runs(lines, at);
  Varints in(lines.table);
  while (!in.done() && in.valid()) {
    const std::uint8_t first = in.byte();
    const unsigned kind = first >> 3 & 15;
    if (!(first & 0x80)) return std::nullopt;
    if (kind == kLong || kind == kNoColumns) runs.move(in.signed_number());
    if (kind == kLong)
      for (int i = 0; i < 3; ++i) (void)in.number();  // the last line, and columns
    if (kind >= kOneLine && kind < kNoColumns) runs.move(kind - kOneLine);
    for (unsigned columns = kind < kOneLine ? 1 : kind < kNoColumns ? 2 : 0; columns > 0; --columns) (void)in.byte();
    runs.pass((first & 7u) * 2 + 2, kind != kNone);
  }
  return in.valid() ? runs.found() : std::nullopt;
}

}  // namespace

std::optional<std::uint32_t> python_line(const PythonLines& lines, std::uint32_t at) {
  switch (lines.form) {
    case bpf::SCRIPT_LINES_DELTAS:
      return by_deltas(lines, at);
    case bpf::SCRIPT_LINES_RANGES:
      return by_ranges(lines, at);
    case bpf::SCRIPT_LINES_LOCATIONS:
      return by_locations(lines, at);
  }
  return std::nullopt;
}

}  // namespace tailcap::capture::stacks
