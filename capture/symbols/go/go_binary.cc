#include "capture/symbols/go/go_binary.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "capture/symbols/elf/elf_pointers.h"
#include "ground/go_build.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxText = 1u << 20;  // a version, or the list of modules with their checksums
constexpr std::size_t kMaxGoName = 4096;
constexpr std::string_view kBuildMagic("\xff Go buildinf:", 14);
constexpr std::uint64_t kBuildHeader = 32;
constexpr std::uint8_t kBigEndian = 1, kInline = 2;

template <class T>
T take_word(std::string_view bytes, std::uint64_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

// Before Go 1.18: the address of a string header, which is an address and a length.
std::string string_behind(const ElfFile& file, std::uint64_t address) {
  const std::string length = file.read_address(address + 8, 8, 8);
  if (length.empty()) return {};
  return file.read_address(pointer_at(file, address), take_word<std::uint64_t>(length, 0), kMaxText);
}

// From Go 1.18 on: a length in seven-bit groups and the text, one after the other.
std::string take_string(std::string_view& in) {
  std::uint64_t length = 0;
  for (int shift = 0; shift < 63; shift += 7) {
    if (in.empty()) return {};
    const auto byte = static_cast<unsigned char>(in[0]);
    in.remove_prefix(1);
    length |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) break;
  }
  if (length > in.size()) {
    in = {};
    return {};
  }
  std::string text(in.substr(0, length));
  in.remove_prefix(length);
  return text;
}

// The module list is between two 16-byte marks, which make it possible to find it in memory.
void read_modules(std::string_view text, GoBuild& build) {
  constexpr std::size_t kMark = 16;
  if (text.size() < 2 * kMark + 1 || text[text.size() - kMark - 1] != '\n') return;
  text = text.substr(kMark, text.size() - 2 * kMark);
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (!ground::is_plain_build_line(line)) continue;
    if (!build.lines.empty()) build.lines += '\n';
    build.lines += line;
    if (line.starts_with("path\t")) build.path = line.substr(5);
    if (line.starts_with("mod\t")) {
      const std::string_view rest = line.substr(4);
      const auto name_end = rest.find('\t');
      build.module = rest.substr(0, name_end);
      if (name_end != rest.npos) {
        const std::string_view version = rest.substr(name_end + 1);
        build.module += " " + std::string(version.substr(0, version.find('\t')));
      }
    }
  }
}

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace

std::optional<GoBuild> go_build(const ElfFile& file) {
  const Section* section = file.section(".go.buildinfo");
  if (!section) return std::nullopt;
  std::string bytes = file.read(section->offset, section->size, kMaxText);
  if (bytes.size() < kBuildHeader || !std::string_view(bytes).starts_with(kBuildMagic)) return std::nullopt;
  const auto pointer_size = static_cast<std::uint8_t>(bytes[14]), flags = static_cast<std::uint8_t>(bytes[15]);
  GoBuild build;
  std::string modules;
  if (flags & kInline) {
    std::string_view in = std::string_view(bytes).substr(kBuildHeader);
    build.version = take_string(in);
    modules = take_string(in);
  } else if (pointer_size == 8 && !(flags & kBigEndian)) {
    build.version = string_behind(file, pointer_at(file, section->address + 16));
    modules = string_behind(file, pointer_at(file, section->address + 24));
  }
  if (build.version.empty() || !printable(build.version)) return std::nullopt;
  read_modules(modules, build);
  return build;
}

namespace {

constexpr std::uint32_t kMagic118 = 0xfffffff0, kMagic120 = 0xfffffff1;
constexpr std::uint32_t kMagic116 = 0xfffffffa, kMagic12 = 0xfffffffb;
#if defined(__aarch64__)
constexpr char kCodeUnit = 4;  // bytes that all instructions are a multiple of
#else
constexpr char kCodeUnit = 1;
#endif
constexpr std::uint64_t kTableHeader = 72;  // magic, sizes, and eight words
constexpr std::uint64_t kEntry = 8;         // of the function table: where the code is, where the description is

bool is_header(std::string_view bytes) {
  if (bytes.size() < kTableHeader) return false;
  const auto magic = take_word<std::uint32_t>(bytes, 0);
  return (magic == kMagic118 || magic == kMagic120) && bytes[4] == 0 && bytes[5] == 0 && bytes[6] == kCodeUnit &&
         bytes[7] == 8;
}

// A position-independent program linked by the system's linker has the table inside another section.
std::uint64_t search_go_table(const ElfFile& file) {
  constexpr std::uint64_t kAtOnce = 1u << 20, kAlignment = 32;
  for (const Section& section : file.sections()) {
    if (section.type != SHT_PROGBITS || section.name.rfind(".data.rel.ro", 0) != 0) continue;
    const std::uint64_t skip = (kAlignment - section.address % kAlignment) % kAlignment;
    const std::uint64_t size = std::min(section.size, kMaxGoTable);
    for (std::uint64_t at = skip; at < size; at += kAtOnce) {
      const std::string chunk = file.read(section.offset + at, std::min(kAtOnce + kTableHeader, size - at), ~0ull);
      for (std::uint64_t i = 0; i + kTableHeader <= chunk.size() && i < kAtOnce; i += kAlignment) {
        if (is_header(std::string_view(chunk).substr(i))) return section.address + at + i;
      }
      if (chunk.empty()) break;
    }
  }
  return 0;
}

}  // namespace

bool is_go(const ElfFile& file) {
  return file.section(".go.buildinfo") || file.section(".gopclntab") || file.section(".data.rel.ro.gopclntab");
}

GoFunctions::GoFunctions(const ElfFile& file) {
  const Section* section = file.section(".gopclntab");
  if (!section) section = file.section(".data.rel.ro.gopclntab");
  std::uint64_t address = section ? section->address : search_go_table(file);
  std::uint64_t size = section ? section->size : 0;
  if (address == 0) {
    problem_ = file.path() + " has no Go function table (.gopclntab): it is no Go program, or it was packed";
    return;
  }
  if (size == 0) {
    for (const Segment& segment : file.segments()) {
      if (address >= segment.address && address - segment.address < segment.file_size)
        size = segment.file_size - (address - segment.address);
    }
  }
  table_ = file.read_address(address, size, kMaxGoTable);
  if (!read_header(file, address)) {
    table_.clear();
    count_ = 0;
  }
}

bool GoFunctions::read_header(const ElfFile& file, std::uint64_t address) {
  const std::uint32_t magic = table_.size() >= 4 ? take_word<std::uint32_t>(table_, 0) : 0;
  if (magic == kMagic116 || magic == kMagic12) {
    problem_ = file.path() + " was built by a Go older than 1.18, whose function table is not understood";
    return false;
  }
  if (!is_header(table_)) {
    problem_ = file.path() + " has a Go function table of an unknown layout";
    return false;
  }
  const auto count = take_word<std::uint64_t>(table_, 8);
  names_ = take_word<std::uint64_t>(table_, 32);
  functions_ = take_word<std::uint64_t>(table_, 64);
  const bool inside = names_ < table_.size() && functions_ < table_.size() &&
                      count < (table_.size() - functions_) / kEntry;  // one entry more gives the end of the last one
  if (!inside || count == 0) {
    problem_ = file.path() + " has a damaged Go function table";
    return false;
  }
  count_ = count;
  return find_text(file, address);
}

bool GoFunctions::find_text(const ElfFile& file, std::uint64_t address) {
  // The header's own word; what the loader makes of it; where the code section starts. Newer versions of Go write no
  // word.
  const Section* text = file.section(".text");
  const std::uint64_t candidates[] = {take_word<std::uint64_t>(table_, 24),
                                      relocated_pointer(file, address + 24).value_or(0), text ? text->address : 0};
  for (const std::uint64_t candidate : candidates) {
    if (candidate == 0 || !looks_like_go(file, candidate)) continue;
    text_ = candidate;
    return true;
  }
  problem_ = file.path() + " does not say where its Go code starts";
  return false;
}

// A wrong start would give wrong functions, so it is checked: most Go functions begin by comparing the stack pointer,
// or something a little below it, with the goroutine's limit at 16(r14). On arm64 they load that first, from 16(x28).
bool GoFunctions::looks_like_go(const ElfFile& file, std::uint64_t text) const {
  constexpr std::size_t kSamples = 500;
  const std::size_t step = std::max<std::size_t>(1, count_ / kSamples);
  std::size_t seen = 0, prologues = 0;
  for (std::size_t i = 0; i < count_ && seen < kSamples; i += step) {
    const std::uint64_t address = text + take_word<std::uint32_t>(table_, functions_ + i * kEntry);
    const std::string code = file.executable(address, 8) ? file.read_address(address, 8, 8) : std::string();
    ++seen;
    const std::string_view bytes(code);
#if defined(__aarch64__)
    prologues += bytes.starts_with("\x90\x0b\x40\xf9");
#else
    if (bytes.starts_with("\x49\x3b\x66\x10") || bytes.starts_with("\x4c\x8d\x64\x24") ||
        bytes.starts_with("\x4c\x8d\xa4\x24"))
      ++prologues;
#endif
  }
  return prologues * 2 >= seen;  // 67 to 76 % in real programs; at a wrong start next to none
}

std::optional<GoFunction> GoFunctions::at(std::size_t index) const {
  if (index >= count_) return std::nullopt;
  const std::uint64_t entry = functions_ + index * kEntry;
  const auto start = take_word<std::uint32_t>(table_, entry), description = take_word<std::uint32_t>(table_, entry + 4);
  const auto end = take_word<std::uint32_t>(table_, entry + kEntry);
  const std::uint64_t name_at = functions_ + description + 4;
  if (end <= start || name_at + 4 > table_.size() ||
      take_word<std::uint32_t>(table_, functions_ + description) != start)
    return std::nullopt;
  const auto name = take_word<std::uint32_t>(table_, name_at);
  if (name >= functions_ - std::min(functions_, names_)) return std::nullopt;  // names come before functions
  const std::string_view rest = std::string_view(table_).substr(names_ + name, kMaxGoName);
  const auto length = rest.find('\0');
  if (length == rest.npos) return std::nullopt;
  return GoFunction{std::string(rest.substr(0, length)), text_ + start, end - start};
}

std::optional<GoFunction> GoFunctions::around(std::uint64_t address) const {
  if (count_ == 0 || address < text_) return std::nullopt;
  std::size_t first = 0, count = count_;
  while (count > 1) {  // the last one that does not begin behind it
    const std::size_t half = count / 2;
    const std::uint64_t start = text_ + take_word<std::uint32_t>(table_, functions_ + (first + half) * kEntry);
    if (start <= address) first += half;
    count = start <= address ? count - half : half;
  }
  auto function = at(first);
  if (!function || address < function->address || address - function->address >= function->size) return std::nullopt;
  return function;
}

std::vector<GoFunction> GoFunctions::find(std::span<const std::string_view> names) const {
  const std::unordered_set<std::string_view> wanted(names.begin(), names.end());
  std::vector<GoFunction> found;
  for (std::size_t i = 0; i < count_; ++i) {
    auto function = at(i);
    if (function && wanted.contains(function->name)) found.push_back(*std::move(function));
  }
  return found;
}

}  // namespace tailcap::capture::symbols
