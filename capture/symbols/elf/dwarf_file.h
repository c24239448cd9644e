// The debug information of an ELF file, opened with libdw: only where what libdw will inflate and map is bounded.
#pragma once

#include <elfutils/libdw.h>

#include <cstdint>
#include <memory>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

struct DwarfClose {
  void operator()(Dwarf* d) const { dwarf_end(d); }
};
using DwarfHandle = std::unique_ptr<Dwarf, DwarfClose>;

// Null: there is none, its entries have more than `most` bytes, or it is not understood. The file must outlive it.
DwarfHandle open_dwarf(const ElfFile& file, std::uint64_t most = UINT64_MAX);

// Bytes of memory that the compressed sections take once libdw has opened it.
std::uint64_t inflated_size(const ElfFile& file);

}  // namespace tailcap::capture::symbols
