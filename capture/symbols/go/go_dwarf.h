// Offsets of members of the Go runtime's own structures, from the program's debugging information.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

struct GoMember {
  std::string_view structure, member;  // "runtime.g", "goid"
};

// The offset of each; nothing for members that the structure does not have. Empty if the program has no debugging
// information, too much of it, or none of these structures.
std::vector<std::optional<std::uint64_t>> go_members(const ElfFile& file, std::span<const GoMember> wanted);

}  // namespace tailcap::capture::symbols
