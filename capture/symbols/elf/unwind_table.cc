#include "capture/symbols/elf/unwind_table.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxTable = 32u << 20;   // Chromium's is 20 MiB
constexpr std::uint8_t kRelativeSigned4 = 0x1b;  // DW_EH_PE_pcrel | DW_EH_PE_sdata4: used by compilers for x86-64
constexpr std::uint8_t kOmitted = 0xff;          // DW_EH_PE_omit: cannot be read

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}
  bool skip(std::size_t count) {
    if (count > bytes_.size()) return false;
    bytes_.remove_prefix(count);
    return true;
  }
  template <class T>
  std::optional<T> take() {
    if (bytes_.size() < sizeof(T)) return std::nullopt;
    T value;
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  bool skip_leb128() {
    while (!bytes_.empty()) {
      const bool more = (static_cast<unsigned char>(bytes_[0]) & 0x80) != 0;
      bytes_.remove_prefix(1);
      if (!more) return true;
    }
    return false;
  }
  std::string_view take_string() {
    const auto end = std::min(bytes_.find('\0'), bytes_.size());
    const std::string_view text = bytes_.substr(0, end);
    bytes_.remove_prefix(std::min(end + 1, bytes_.size()));
    return text;
  }

 private:
  std::string_view bytes_;
};

// The encoding of addresses according to a common information entry; nothing if it cannot be read. bytes: after the id.
std::optional<std::uint8_t> address_encoding(std::string_view bytes) {
  Cursor in(bytes);
  const auto version = in.take<std::uint8_t>();
  const std::string_view augmentation = in.take_string();
  if (!version || (*version != 1 && *version != 3) || !augmentation.starts_with('z')) return std::nullopt;
  if (!in.skip_leb128() || !in.skip_leb128()) return std::nullopt;                                 // alignments
  if (!(*version == 1 ? in.skip(1) : in.skip_leb128()) || !in.skip_leb128()) return std::nullopt;  // register, length
  for (const char c : augmentation.substr(1)) {
    if (c == 'R') return in.take<std::uint8_t>();
    if (c == 'L') {
      if (!in.skip(1)) return std::nullopt;
    } else if (c == 'P') {
      const auto encoding = in.take<std::uint8_t>();
      if (!encoding) return std::nullopt;
      const int format = *encoding & 0x0f;
      const std::size_t size = format == 0x0b || format == 0x03                     ? 4
                               : format == 0x00 || format == 0x0c || format == 0x04 ? 8
                                                                                    : 0;
      if (size == 0 || !in.skip(size)) return std::nullopt;
    } else if (c != 'S' && c != 'B') {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

std::vector<FunctionRange> unwind_ranges(const ElfFile& file) {
  std::vector<FunctionRange> ranges;
  const Section* section = file.section(".eh_frame");
  if (!section) return ranges;
  const std::string table = file.contents(*section, kMaxTable);
  const std::string_view bytes(table);
  std::uint64_t known_at = ~std::uint64_t{0};  // the entry with the known encoding: neighbours share it
  std::uint8_t encoding = kOmitted;
  for (std::uint64_t at = 0; at + 8 <= bytes.size();) {
    std::uint32_t length = 0, id = 0;
    std::memcpy(&length, bytes.data() + at, 4);
    std::memcpy(&id, bytes.data() + at + 4, 4);
    // 0 is the end, all ones a 64-bit length, which is not used here in practice.
    if (length < 4 || length == 0xffffffff || length > bytes.size() - at - 4) break;
    const std::uint64_t body = at + 8, end = at + 4 + length;
    at = end;
    if (id == 0 || id > body - 4) continue;
    const std::uint64_t common = body - 4 - id;
    if (common != known_at) {
      known_at = common;
      encoding = kOmitted;
      std::uint32_t size = 0;
      if (common + 8 <= bytes.size()) std::memcpy(&size, bytes.data() + common, 4);
      if (size >= 4 && size <= bytes.size() - common - 4)
        encoding = address_encoding(bytes.substr(common + 8, size - 4)).value_or(kOmitted);
    }
    if (encoding != kRelativeSigned4 || end - body < 8) continue;
    std::int32_t start = 0;
    std::uint32_t size = 0;
    std::memcpy(&start, bytes.data() + body, 4);
    std::memcpy(&size, bytes.data() + body + 4, 4);
    const std::uint64_t address =
        section->address + body + static_cast<std::uint64_t>(static_cast<std::int64_t>(start));
    if (size > 0 && file.executable(address, size)) ranges.push_back({address, size});
  }
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return ranges;
}

const FunctionRange* range_around(const std::vector<FunctionRange>& ranges, std::uint64_t address) {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](std::uint64_t wanted, const FunctionRange& r) { return wanted < r.address; });
  if (after == ranges.begin()) return nullptr;
  --after;
  return address - after->address < after->size ? &*after : nullptr;
}

}  // namespace tailcap::capture::symbols
