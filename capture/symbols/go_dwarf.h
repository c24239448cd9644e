// Where the members of the Go runtime's own structures are, from the program's debugging information.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "capture/symbols/elf_file.h"

namespace tailcap::capture::symbols {

struct GoMember {
  std::string_view structure, member;  // "runtime.g", "goid"
};

// The offset of each, nothing for those that the structure does not have. Empty where the program has no debugging
// information, or more of it than is worth reading, or none of these structures.
std::vector<std::optional<std::uint64_t>> go_members(const ElfFile& file, std::span<const GoMember> wanted);

}  // namespace tailcap::capture::symbols
