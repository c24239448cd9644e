// Which function a place in an ELF file lies in: by its symbol tables, in Go programs by the table that stripping leaves.
//
// A function that the compiler has put into its caller is no place of its own. What no symbol covers has no name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "capture/symbols/elf_file.h"
#include "capture/symbols/go_binary.h"

namespace tailcap::capture::symbols {

class CodeNames {
 public:
  explicit CodeNames(const ElfFile& file);

  // As people write it; empty: not known.
  std::string at(std::uint64_t file_offset) const;
  std::uint64_t memory() const;  // bytes that this takes, about

 private:
  struct Function {
    std::uint64_t address = 0;
    std::uint32_t size = 0;
    std::uint32_t name = 0;  // where in names_, up to a zero
    std::uint8_t rank = 0;   // of several at one address the lowest counts
  };

  void read_table(const ElfFile& file, const Section& table);
  std::string around(std::uint64_t address) const;

  std::vector<Segment> code_;
  std::vector<Function> functions_;  // by address, one each
  std::string names_;
  std::optional<GoFunctions> go_;
};

}  // namespace tailcap::capture::symbols
