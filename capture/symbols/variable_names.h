// Which variable of an ELF file an address lies in: by its symbol tables.
#pragma once

#include <cstdint>
#include <string>

#include "capture/symbols/code_segments.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"
#include "capture/symbols/function_names.h"

namespace tailcap::capture::symbols {

class VariableNames {
 public:
  VariableNames() = default;
  explicit VariableNames(const ElfFile& file);

  // What is `distance` bytes behind the beginning of an executable mapping, which begins at this offset in the file.
  // "cart_mutex", "cart+0x10" inside a larger one; empty: none is known.
  std::string behind(std::uint64_t offset, std::uint64_t distance) const;
  std::uint64_t memory() const { return names_.memory(); }

  void encode(scan::Encoder& out) const;
  static VariableNames decode(scan::Decoder& in);

 private:
  CodeSegments code_;
  FunctionNames names_;
};

}  // namespace tailcap::capture::symbols
