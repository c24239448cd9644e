// Which function a place in an ELF file lies in: by its symbol tables, in Go programs by the table that stripping
// leaves.
//
// A function that the compiler has put into its caller is no place of its own. What no symbol covers has no name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/code_segments.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"
#include "capture/symbols/function_names.h"

namespace tailcap::capture::symbols {

// Names of all symbols of one kind: STT_FUNC, STT_OBJECT.
FunctionNames names_of_symbols(const ElfFile& file, int kind);

class CodeNames {
 public:
  explicit CodeNames(const ElfFile& file);

  // As people write it; empty: not known.
  std::string at(std::uint64_t file_offset) const;
  std::string around(std::uint64_t address) const;
  // The address of a place in the file; none: it is not loaded as code.
  std::optional<std::uint64_t> address(std::uint64_t file_offset) const;
  bool has(std::string_view function) const { return functions_.has(function); }
  // Which lines its code is of can be read from it, too (source/).
  bool has_lines() const { return has_lines_; }
  const std::string& build_id() const { return build_id_; }  // raw bytes; empty: it has none
  std::uint64_t memory() const;                              // bytes that this takes, about

  void encode(scan::Encoder& out) const;
  static CodeNames decode(scan::Decoder& in);

 private:
  CodeNames() = default;

  CodeSegments code_;
  bool has_lines_ = false;
  std::string build_id_;
  FunctionNames go_;         // first: they are exact
  FunctionNames functions_;  // of the symbol tables
};

}  // namespace tailcap::capture::symbols
