#include "capture/symbols/go/go_dwarf.h"

#include <dwarf.h>
#include <elfutils/libdw.h>

#include <cstring>

#include "capture/symbols/elf/dwarf_file.h"

namespace tailcap::capture::symbols {

namespace {

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
  const DwarfHandle dwarf = open_dwarf(file);
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
