#include "capture/symbols/code_names.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "capture/symbols/demangle.h"
#include "capture/symbols/elf/build_id.h"

namespace tailcap::capture::symbols {

namespace {

constexpr std::uint64_t kMaxCodeSymbols = 4u << 20;  // Chromium's .symtab has 1.5 million
constexpr std::uint64_t kMaxNameTables = 16;         // linked files have one or two
constexpr std::uint64_t kMaxNameBytes = 96u << 20;   // node's .symtab has 40 MB of names
constexpr std::size_t kMaxRawNames = 48u << 20;
constexpr std::uint64_t kNamesAtOnce = 16384;
constexpr std::size_t kMaxCodeName = 4096;
constexpr std::size_t kMaxDemangled = 500'000;  // at 2.4 µs each
// A function may hold the symbols of smaller ones: so far back one that covers the place is looked for.
constexpr int kNested = 8;

// Exported names are those that people know; of aliases the one with the fewest underscores in front.
std::uint8_t rank_of(const Elf64_Sym& symbol, std::string_view name) {
  const auto binding = ELF64_ST_BIND(symbol.st_info);
  const int scope = binding == STB_GLOBAL ? 0 : binding == STB_WEAK ? 1 : 2;
  const auto underscores = std::min<std::size_t>(name.find_first_not_of('_'), 15);
  return static_cast<std::uint8_t>(scope * 16 + static_cast<int>(underscores));
}

// The functions, or the variables, of a file's symbol tables, on the way to their names.
class SymbolReader {
 public:
  SymbolReader(const ElfFile& file, int kind) : file_(file), kind_(kind) {}

  FunctionNames read() {
    const auto& sections = file_.sections();
    const bool has_table =
        std::any_of(sections.begin(), sections.end(), [](const Section& s) { return s.type == SHT_SYMTAB; });
    std::uint64_t tables = 0;
    for (const Section& section : sections) {
      if (section.type == (has_table ? SHT_SYMTAB : SHT_DYNSYM) && ++tables <= kMaxNameTables) read_table(section);
    }
    const auto name_of = [&](const Symbol& f) { return std::string_view(names_.c_str() + f.name); };
    std::sort(symbols_.begin(), symbols_.end(), [&](const Symbol& a, const Symbol& b) {
      if (a.address != b.address) return a.address < b.address;
      return a.rank != b.rank ? a.rank < b.rank : name_of(a) < name_of(b);
    });
    symbols_.erase(std::unique(symbols_.begin(), symbols_.end(),
                               [](const Symbol& a, const Symbol& b) { return a.address == b.address; }),
                   symbols_.end());
    FunctionNames out;
    std::size_t demangled_names = 0;
    for (const Symbol& symbol : symbols_) {
      const std::string_view name = name_of(symbol);
      const bool mangled = is_mangled(name) && ++demangled_names <= kMaxDemangled;
      if (mangled)
        out.add(symbol.address, symbol.size, demangled(name));
      else
        out.add(symbol.address, symbol.size, name);
    }
    return out;
  }

 private:
  struct Symbol {
    std::uint64_t address = 0;
    std::uint32_t size = 0;
    std::uint32_t name = 0;  // where in names_, up to a zero
    std::uint8_t rank = 0;   // of several at one address the lowest counts
  };

  void read_table(const Section& table);

  const ElfFile& file_;
  int kind_;
  std::vector<Symbol> symbols_;
  std::string names_;
};

void SymbolReader::read_table(const Section& table) {
  if (table.link >= file_.sections().size()) return;
  const std::string strings = file_.contents(file_.sections()[table.link], kMaxNameBytes);
  const std::uint64_t count = std::min(table.size / sizeof(Elf64_Sym), kMaxCodeSymbols);
  for (std::uint64_t first = 0; first < count; first += kNamesAtOnce) {
    const std::uint64_t bytes = std::min(kNamesAtOnce, count - first) * sizeof(Elf64_Sym);
    const std::string chunk = file_.read(table.offset + first * sizeof(Elf64_Sym), bytes, bytes);
    if (chunk.empty()) return;
    for (std::uint64_t at = 0; at < bytes; at += sizeof(Elf64_Sym)) {
      Elf64_Sym symbol;
      std::memcpy(&symbol, chunk.data() + at, sizeof symbol);
      if (ELF64_ST_TYPE(symbol.st_info) != kind_ || symbol.st_shndx == SHN_UNDEF || symbol.st_shndx == SHN_ABS ||
          symbol.st_size == 0 || symbol.st_size > UINT32_MAX || symbol.st_name >= strings.size())
        continue;
      std::string_view name = std::string_view(strings).substr(symbol.st_name, kMaxCodeName);
      const auto end = name.find('\0');
      if (end == name.npos) continue;
      name = name.substr(0, std::min(end, name.find('@')));  // a version, as linkers since 2020 write it
      if (name.empty() || symbols_.size() >= FunctionNames::kMaxFunctions ||
          names_.size() + name.size() >= kMaxRawNames)
        continue;
      symbols_.push_back({symbol.st_value, static_cast<std::uint32_t>(symbol.st_size),
                          static_cast<std::uint32_t>(names_.size()), rank_of(symbol, name)});
      names_.append(name).push_back('\0');
    }
  }
}

}  // namespace

FunctionNames names_of_symbols(const ElfFile& file, int kind) { return SymbolReader(file, kind).read(); }

CodeNames::CodeNames(const ElfFile& file) : code_(code_segments(file)) {
  if (is_go(file)) {
    const Section* table = file.section(".gopclntab");
    if (!table || table->size <= kMaxGoTable) go_ = FunctionNames(GoFunctions(file));
  }
  // The C functions of a Go program, and its Go functions if its own table is not understood.
  functions_ = names_of_symbols(file, STT_FUNC);
  has_lines_ = file.section(".debug_info") != nullptr;
  if (file.descriptor() >= 0) build_id_ = symbols::build_id(file.descriptor());
}

std::string CodeNames::around(std::uint64_t address) const {
  if (const auto* function = go_.around(address)) return std::string(go_.name(*function));
  const auto* function = functions_.around(address, kNested);
  return function ? std::string(functions_.name(*function)) : std::string();
}

std::optional<std::uint64_t> CodeNames::address(std::uint64_t file_offset) const {
  for (const Segment& segment : code_) {
    if (file_offset >= segment.offset && file_offset - segment.offset < segment.file_size)
      return segment.address + (file_offset - segment.offset);
  }
  return std::nullopt;
}

std::string CodeNames::at(std::uint64_t file_offset) const {
  const auto place = address(file_offset);
  return place ? around(*place) : std::string();
}

std::uint64_t CodeNames::memory() const { return functions_.memory() + go_.memory(); }

void CodeNames::encode(scan::Encoder& out) const {
  symbols::encode(out, code_);
  out.number<std::uint8_t>(has_lines_);
  out.text(build_id_);
  go_.encode(out);
  functions_.encode(out);
}

CodeNames CodeNames::decode(scan::Decoder& in) {
  CodeNames names;
  names.code_ = decode_code_segments(in);
  names.has_lines_ = in.truth();
  names.build_id_ = in.text(kMaxBuildId);
  names.go_ = FunctionNames::decode(in);
  names.functions_ = FunctionNames::decode(in);
  return names;
}

}  // namespace tailcap::capture::symbols
