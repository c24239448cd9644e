#include "capture/symbols/go/go_dwarf.h"

#include <dwarf.h>
#include <elf.h>
#include <elfutils/libdw.h>

#include <cstring>
#include <memory>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxInformation =
    192u << 20;  // bytes of all sections once inflated; .debug_info of Kubernetes' largest program has 60 MiB
constexpr std::uint64_t kMaxOfOne = 512u << 20;  // of one that is not compressed, and is mapped

struct DwarfClose {
  void operator()(Dwarf* d) const { dwarf_end(d); }
};

// The size to which libdw will inflate the section; 0: not plausible.
std::uint64_t inflated_size(const ElfFile& file, const Section& section) {
  const std::string bytes = file.read(section.offset, sizeof(Elf64_Chdr), sizeof(Elf64_Chdr));
  if (bytes.size() < sizeof(Elf64_Chdr)) return 0;
  Elf64_Chdr header;
  std::memcpy(&header, bytes.data(), sizeof header);
  return header.ch_size;
}

bool worth_reading(const ElfFile& file) {
  bool any = false;
  std::uint64_t left = kMaxInformation;
  for (const Section& section : file.sections()) {
    // As Go compressed until 1.18: libdw would inflate it, too.
    if (section.name.starts_with(".zdebug_")) return false;
    if (!section.name.starts_with(".debug_")) continue;
    any |= section.name == ".debug_info";
    if (!(section.flags & SHF_COMPRESSED)) {
      if (section.size == 0 || section.size > kMaxOfOne) return false;
      continue;
    }
    const std::uint64_t size = inflated_size(file, section);
    if (size == 0 || size > left) return false;
    left -= size;
  }
  return any;
}

std::optional<std::uint64_t> place_of(Dwarf_Die& member) {
  Dwarf_Attribute attribute;
  Dwarf_Word offset = 0;
  if (!dwarf_attr(&member, DW_AT_data_member_location, &attribute)) return std::nullopt;
  if (dwarf_formudata(&attribute, &offset) == 0) return offset;
  Dwarf_Op* operations = nullptr;
  std::size_t count = 0;
  if (dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1) return std::nullopt;
  if (operations[0].atom != DW_OP_plus_uconst) return std::nullopt;
  return operations[0].number;
}

// Fills in what the structure has. False: it is not one of those wanted.
bool read_structure(Dwarf_Die& structure, std::span<const GoMember> wanted,
                    std::vector<std::optional<std::uint64_t>>& out) {
  const char* name = dwarf_diename(&structure);
  bool any = false;
  Dwarf_Die member;
  if (!name || dwarf_child(&structure, &member) != 0) return false;
  do {
    const char* own = dwarf_diename(&member);
    for (std::size_t i = 0; own && i < wanted.size(); i++) {
      if (wanted[i].structure != name) continue;
      any = true;
      if (wanted[i].member == own && !out[i]) out[i] = place_of(member);
    }
  } while (dwarf_siblingof(&member, &member) == 0);
  return any;
}

}  // namespace

std::vector<std::optional<std::uint64_t>> go_members(const ElfFile& file, std::span<const GoMember> wanted) {
  if (file.descriptor() < 0 || !worth_reading(file)) return {};
  const std::unique_ptr<Dwarf, DwarfClose> dwarf(dwarf_begin(file.descriptor(), DWARF_C_READ));
  if (!dwarf) return {};
  std::vector<std::optional<std::uint64_t>> out(wanted.size());
  bool any = false;
  Dwarf_CU* unit = nullptr;
  Dwarf_Die top;
  while (dwarf_get_units(dwarf.get(), unit, &unit, nullptr, nullptr, &top, nullptr) == 0) {
    const char* package = dwarf_diename(&top);
    Dwarf_Die die;
    if (!package || std::strcmp(package, "runtime") != 0 || dwarf_child(&top, &die) != 0) continue;
    do {
      if (dwarf_tag(&die) == DW_TAG_structure_type) any |= read_structure(die, wanted, out);
    } while (dwarf_siblingof(&die, &die) == 0);
  }
  return any ? out : std::vector<std::optional<std::uint64_t>>{};
}

}  // namespace tailcap::capture::symbols
