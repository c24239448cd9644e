// Pointers in the data of an ELF file, as they are once it is loaded: what the loader adds to a position-independent
// image is in its relocations, and linkers leave the places themselves 0.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "capture/symbols/elf_file.h"

namespace tailcap::capture::symbols {

// The pointer that will be at this address, as an address of the file; 0: there is none.
std::uint64_t pointer_at(const ElfFile& file, std::uint64_t address);
// What a relocation alone says of it.
std::optional<std::uint64_t> relocated_pointer(const ElfFile& file, std::uint64_t address);

// An array of words, pointers among them; empty where the file does not have them all.
std::vector<std::uint64_t> words_at(const ElfFile& file, std::uint64_t address, std::uint64_t count);

}  // namespace tailcap::capture::symbols
