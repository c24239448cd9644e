#include "capture/symbols/elf/elf_pointers.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxPointerRelocations =
    16u << 20;  // entries of all sections; a position-independent Go program has 10 per kB
constexpr std::uint64_t kMaxWords = 1u << 20;
constexpr std::uint64_t kPointersAtOnce = 16384;
#if defined(__aarch64__)
constexpr std::uint64_t kRelative = R_AARCH64_RELATIVE;
#else
constexpr std::uint64_t kRelative = R_X86_64_RELATIVE;
#endif

// Calls take(address, pointer) for each place that the loader fills; stops when that returns true.
template <class Take>
void each_relocation(const ElfFile& file, Take take) {
  std::uint64_t left = kMaxPointerRelocations;
  for (const Section& section : file.sections()) {
    if (section.type != SHT_RELA || !(section.flags & SHF_ALLOC)) continue;
    const std::uint64_t count = std::min(section.size / sizeof(Elf64_Rela), left);
    left -= count;
    for (std::uint64_t first = 0; first < count; first += kPointersAtOnce) {
      const std::uint64_t bytes = std::min(kPointersAtOnce, count - first) * sizeof(Elf64_Rela);
      const std::string chunk = file.read(section.offset + first * sizeof(Elf64_Rela), bytes, bytes);
      if (chunk.empty()) break;
      for (std::uint64_t at = 0; at < bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela relocation;
        std::memcpy(&relocation, chunk.data() + at, sizeof relocation);
        if (ELF64_R_TYPE(relocation.r_info) != kRelative) continue;
        if (take(relocation.r_offset, static_cast<std::uint64_t>(relocation.r_addend))) return;
      }
    }
  }
}

}  // namespace

std::optional<std::uint64_t> relocated_pointer(const ElfFile& file, std::uint64_t address) {
  std::optional<std::uint64_t> found;
  each_relocation(file, [&](std::uint64_t place, std::uint64_t pointer) {
    if (place == address) found = pointer;
    return found.has_value();
  });
  return found;
}

std::uint64_t pointer_at(const ElfFile& file, std::uint64_t address) {
  const auto words = words_at(file, address, 1);
  return words.empty() ? 0 : words[0];
}

std::vector<std::uint64_t> words_at(const ElfFile& file, std::uint64_t address, std::uint64_t count) {
  if (count > kMaxWords) return {};
  const std::string bytes = file.read_address(address, count * 8, kMaxWords * 8);
  if (bytes.size() != count * 8) return {};
  std::vector<std::uint64_t> words(count);
  std::memcpy(words.data(), bytes.data(), bytes.size());
  if (file.kind() == ElfKind::executable) return words;
  each_relocation(file, [&](std::uint64_t place, std::uint64_t pointer) {
    if (place >= address && place - address < count * 8 && (place - address) % 8 == 0) {
      auto& word = words[(place - address) / 8];
      if (word == 0) word = pointer;
    }
    return false;
  });
  return words;
}

}  // namespace tailcap::capture::symbols
