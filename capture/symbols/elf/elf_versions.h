// The versions of exported symbols (.gnu.version, .gnu.version_d).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

class SymbolVersions {
 public:
  explicit SymbolVersions(const ElfFile& file);

  // For the symbol with this index in .dynsym: the version's name (empty: none) and whether it is the default one.
  std::pair<std::string_view, bool> of(std::uint64_t symbol) const;

 private:
  std::string indices_;  // two bytes for each symbol
  std::unordered_map<std::uint16_t, std::string> names_;
};

}  // namespace tailcap::capture::symbols
