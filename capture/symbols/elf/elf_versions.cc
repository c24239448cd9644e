#include "capture/symbols/elf/elf_versions.h"

#include <elf.h>

#include <cstring>

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxBytes = 16u << 20;
constexpr int kMaxVersions = 32767;  // 15 bits of index
constexpr std::size_t kMaxVersionName = 256;
constexpr std::uint16_t kHidden = 0x8000;
constexpr std::uint16_t kFirstNamed = 2;  // 0 is local, 1 is global without a version

}  // namespace

SymbolVersions::SymbolVersions(const ElfFile& file) {
  const Section* indices = nullptr;
  const Section* definitions = nullptr;
  for (const Section& section : file.sections()) {
    if (section.type == SHT_GNU_versym) indices = &section;
    if (section.type == SHT_GNU_verdef) definitions = &section;
  }
  if (!indices || !definitions || definitions->link >= file.sections().size()) return;
  indices_ = file.contents(*indices, kMaxBytes);
  const std::string table = file.contents(*definitions, kMaxBytes);
  const std::string strings = file.contents(file.sections()[definitions->link], kMaxBytes);
  // A chain of offsets: each step forward, none out of the table.
  for (std::uint64_t at = 0, left = kMaxVersions; left > 0 && at + sizeof(Elf64_Verdef) <= table.size(); --left) {
    Elf64_Verdef definition;
    std::memcpy(&definition, table.data() + at, sizeof definition);
    const std::uint64_t name_at = at + definition.vd_aux;
    if (name_at + sizeof(Elf64_Verdaux) <= table.size()) {
      Elf64_Verdaux name;
      std::memcpy(&name, table.data() + name_at, sizeof name);
      if (name.vda_name < strings.size()) {
        const std::string_view rest = std::string_view(strings).substr(name.vda_name, kMaxVersionName);
        names_[definition.vd_ndx & ~kHidden] = rest.substr(0, rest.find('\0'));
      }
    }
    if (definition.vd_next == 0) break;
    at += definition.vd_next;
  }
}

std::pair<std::string_view, bool> SymbolVersions::of(std::uint64_t symbol) const {
  if (symbol >= indices_.size() / sizeof(std::uint16_t)) return {"", true};
  std::uint16_t index;
  std::memcpy(&index, indices_.data() + symbol * sizeof index, sizeof index);
  const auto number = static_cast<std::uint16_t>(index & ~kHidden);
  const auto name = names_.find(number);
  if (number < kFirstNamed || name == names_.end()) return {"", true};
  return {name->second, (index & kHidden) == 0};
}

}  // namespace tailcap::capture::symbols
