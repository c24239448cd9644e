#include "capture/symbols/elf/dwarf_file.h"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <string>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxInformation =
    192u << 20;  // bytes of all sections once inflated; .debug_info of Kubernetes' largest program has 60 MiB
constexpr std::uint64_t kMaxOfOne = 512u << 20;  // of one that is not compressed, and is mapped

// The size to which libdw will inflate the section; 0: not plausible.
std::uint64_t inflated_size(const ElfFile& file, const Section& section) {
  const std::string bytes = file.read(section.offset, sizeof(Elf64_Chdr), sizeof(Elf64_Chdr));
  if (bytes.size() < sizeof(Elf64_Chdr)) return 0;
  Elf64_Chdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header.ch_size;
}

bool worth_reading(const ElfFile& file, std::uint64_t most) {
  bool any = false;
  std::uint64_t left = kMaxInformation;
  for (const Section& section : file.sections()) {
    // As Go compressed until 1.18: libdw would inflate it, too.
    if (section.name.starts_with(".zdebug_")) return false;
    if (!section.name.starts_with(".debug_")) continue;
    const bool compressed = section.flags & SHF_COMPRESSED;
    if (section.name == ".debug_info") {
      any = true;
      if ((compressed ? inflated_size(file, section) : section.size) > most) return false;
    }
    if (!compressed) {
      if (section.size == 0 || section.size > kMaxOfOne) return false;
      continue;
    }
    const std::uint64_t size = inflated_size(file, section);
    if (size == 0 || size > left) return false;
    left -= size;
  }
  return any;
}

}  // namespace

std::uint64_t inflated_size(const ElfFile& file) {
  std::uint64_t sum = 0;
  for (const Section& section : file.sections()) {
    if (section.name.starts_with(".debug_") && section.flags & SHF_COMPRESSED) sum += inflated_size(file, section);
  }
  return sum;
}

DwarfHandle open_dwarf(const ElfFile& file, std::uint64_t most) {
  if (file.descriptor() < 0 || !worth_reading(file, most)) return nullptr;
  return DwarfHandle(dwarf_begin(file.descriptor(), DWARF_C_READ));
}

}  // namespace tailcap::capture::symbols
