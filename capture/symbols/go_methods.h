// The methods of a Go type, from its descriptor in the file (internal/abi.Type, alike from Go 1.17 to 1.26).
#pragma once

#include <cstdint>
#include <vector>

#include "capture/symbols/elf_file.h"

namespace tailcap::capture::symbols {

// Where the functions of its methods begin, counted from the start of the program's Go code. type: the descriptor's
// address in the file. Empty where there is none, of a type that is neither a struct nor a pointer, and of one without
// methods.
std::vector<std::uint64_t> go_methods(const ElfFile& file, std::uint64_t type);

// Where descriptors of types that may have methods are, and whatever else looks like one: there is no list of all of
// them.
std::vector<std::uint64_t> go_types_with_methods(const ElfFile& file);

}  // namespace tailcap::capture::symbols
