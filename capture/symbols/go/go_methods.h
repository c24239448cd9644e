// The methods of a Go type, from its descriptor in the file (internal/abi.Type, alike from Go 1.17 to 1.26).
#pragma once

#include <cstdint>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

// Offsets of the functions of a type's methods, from the start of the program's Go code. type: the descriptor's
// address in the file. Empty if there is no descriptor, if the type is neither a struct nor a pointer, and if it has no
// methods.
std::vector<std::uint64_t> go_methods(const ElfFile& file, std::uint64_t type);

// Addresses of descriptors of types that may have methods, and of anything that looks like one: there is no list of
// them.
std::vector<std::uint64_t> go_types_with_methods(const ElfFile& file);

}  // namespace tailcap::capture::symbols
