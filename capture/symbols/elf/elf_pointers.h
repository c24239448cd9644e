// Pointers in the data of a loaded ELF file. In a position-independent image, relocations contain the values that the
// loader adds, and linkers leave the places themselves 0.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

// The pointer that the loader puts at this address, as an address of the file; 0: none.
std::uint64_t pointer_at(const ElfFile& file, std::uint64_t address);
// The same, by relocations alone.
std::optional<std::uint64_t> relocated_pointer(const ElfFile& file, std::uint64_t address);

// An array of words, including pointers; empty if the file does not have them all.
std::vector<std::uint64_t> words_at(const ElfFile& file, std::uint64_t address, std::uint64_t count);

}  // namespace tailcap::capture::symbols
