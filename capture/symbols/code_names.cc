#include "capture/symbols/code_names.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "capture/symbols/demangle.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxSymbols = 4u << 20;  // Chromium's .symtab has 1.5 million
constexpr std::uint64_t kMaxFunctions = 2u << 20;
constexpr std::uint64_t kMaxStrings = 256u << 20;
constexpr std::uint64_t kSymbolsAtOnce = 16384;
constexpr std::uint64_t kMaxGoTable = 160u << 20;  // Kubernetes' largest has 60 MiB
constexpr std::size_t kMaxName = 4096;
// A function may hold the symbols of smaller ones: so far back one that covers the place is looked for.
constexpr int kNested = 8;

// Exported names are those that people know; of aliases the one with the fewest underscores in front.
std::uint8_t rank_of(const Elf64_Sym& symbol, std::string_view name) {
  const auto binding = ELF64_ST_BIND(symbol.st_info);
  const int scope = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
  const auto underscores = std::min<std::size_t>(name.find_first_not_of('_'), 15);
  return static_cast<std::uint8_t>(scope * 16 + static_cast<int>(underscores));
}

}  // namespace

CodeNames::CodeNames(const ElfFile& file) {
  for (const Segment& segment : file.segments()) {
    if (segment.executable) code_.push_back(segment);
  }
  if (is_go(file)) {
    const Section* table = file.section(".gopclntab");
    if (!table || table->size <= kMaxGoTable) go_.emplace(file);
    if (go_ && go_->size() == 0) go_.reset();
  }
  // What a Go program has of C, and of Go where its own table is not understood.
  const bool has_table = std::any_of(file.sections().begin(), file.sections().end(), [](const Section& s) { return s.type == SHT_SYMTAB; });
  for (const Section& section : file.sections()) {
    if (section.type == (has_table ? SHT_SYMTAB : SHT_DYNSYM)) read_table(file, section);
  }
  const auto name_of = [&](const Function& f) { return std::string_view(names_.c_str() + f.name); };
  std::sort(functions_.begin(), functions_.end(), [&](const Function& a, const Function& b) {
    if (a.address != b.address) return a.address < b.address;
    return a.rank != b.rank ? a.rank < b.rank : name_of(a) < name_of(b);
  });
  functions_.erase(std::unique(functions_.begin(), functions_.end(),
                               [](const Function& a, const Function& b) { return a.address == b.address; }),
                   functions_.end());
  functions_.shrink_to_fit();
  names_.shrink_to_fit();
}

void CodeNames::read_table(const ElfFile& file, const Section& table) {
  if (table.link >= file.sections().size()) return;
  const std::string strings = file.contents(file.sections()[table.link], kMaxStrings);
  const std::uint64_t count = std::min(table.size / sizeof(Elf64_Sym), kMaxSymbols);
  for (std::uint64_t first = 0; first < count; first += kSymbolsAtOnce) {
    const std::uint64_t bytes = std::min(kSymbolsAtOnce, count - first) * sizeof(Elf64_Sym);
    const std::string chunk = file.read(table.offset + first * sizeof(Elf64_Sym), bytes, bytes);
    if (chunk.empty()) return;
    for (std::uint64_t at = 0; at < bytes; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, chunk.data() + at, sizeof symbol);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF || symbol.st_size == 0 ||
          symbol.st_size > UINT32_MAX || symbol.st_name >= strings.size())
        continue;
      std::string_view name = std::string_view(strings).substr(symbol.st_name, kMaxName);
      const auto end = name.find('\0');
      if (end == name.npos) continue;
      name = name.substr(0, std::min(end, name.find('@')));  // a version, as linkers since 2020 write it
      if (name.empty() || functions_.size() >= kMaxFunctions || names_.size() + name.size() >= kMaxStrings) continue;
      functions_.push_back({symbol.st_value, static_cast<std::uint32_t>(symbol.st_size), static_cast<std::uint32_t>(names_.size()),
                            rank_of(symbol, name)});
      names_.append(name).push_back('\0');
    }
  }
}

std::string CodeNames::around(std::uint64_t address) const {
  if (go_) {
    if (const auto function = go_->around(address)) return function->name;
  }
  auto next = std::upper_bound(functions_.begin(), functions_.end(), address,
                               [](std::uint64_t a, const Function& f) { return a < f.address; });
  for (int back = 0; back < kNested && next != functions_.begin(); ++back) {
    --next;
    if (address - next->address < next->size) return demangled(names_.c_str() + next->name);
  }
  return {};
}

std::string CodeNames::at(std::uint64_t file_offset) const {
  for (const Segment& segment : code_) {
    if (file_offset >= segment.offset && file_offset - segment.offset < segment.file_size)
      return around(segment.address + (file_offset - segment.offset));
  }
  return {};
}

std::uint64_t CodeNames::memory() const {
  return functions_.capacity() * sizeof(Function) + names_.capacity() + (go_ ? go_->memory() : 0);
}

}  // namespace tailcap::capture::symbols
