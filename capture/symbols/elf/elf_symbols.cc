#include "capture/symbols/elf/elf_symbols.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "capture/symbols/elf/elf_versions.h"

namespace tailcap::capture::symbols {

namespace {

// node's .symtab has 0.4 million symbols with 40 MB of names.
constexpr std::uint64_t kMaxSymbols = 16u << 20;
constexpr std::uint64_t kMaxStrings = 96u << 20;
constexpr std::size_t kMaxTables = 16;  // of each kind, which a file of any linker has once
constexpr std::uint64_t kSymbolsAtOnce = 16384;
constexpr std::size_t kMaxName = 4096;
constexpr std::size_t kMaxFound = 4096;  // definitions of the names asked for; a table can repeat one without end

using Names = std::unordered_set<std::string_view>;

std::string_view string_at(std::string_view strings, std::uint64_t offset) {
  if (offset >= strings.size()) return {};
  const std::string_view rest = strings.substr(offset, kMaxName);
  const auto end = rest.find('\0');
  return end == rest.npos ? std::string_view() : rest.substr(0, end);
}

bool is_function(const ElfFile& file, const Elf64_Sym& symbol) {
  if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_shndx == SHN_UNDEF) return false;
  return file.executable(symbol.st_value, std::max<std::uint64_t>(symbol.st_size, 1));
}

void search_table(const ElfFile& file, const Section& table, const Names& names, const SymbolVersions* versions,
                  std::vector<FunctionSymbol>& found) {
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
      if (symbol.st_name == 0 || ELF64_ST_TYPE(symbol.st_info) != STT_FUNC) continue;
      const std::string_view text = string_at(strings, symbol.st_name);
      // Linkers since 2020 write the version into the names of .symtab.
      const auto mark = text.find('@');
      const std::string_view name = text.substr(0, mark);
      if (!names.contains(name) || !is_function(file, symbol) || found.size() >= kMaxFound) continue;
      FunctionSymbol& function = found.emplace_back();
      function.name = name;
      function.exported = table.type == SHT_DYNSYM;
      function.address = symbol.st_value;
      function.size = symbol.st_size;
      function.file_offset = *file.file_offset(symbol.st_value, std::max<std::uint64_t>(symbol.st_size, 1));
      if (mark != text.npos) {
        function.default_version = text.substr(mark).starts_with("@@");
        function.version = text.substr(
            text.find_first_not_of('@', mark) == text.npos ? text.size() : text.find_first_not_of('@', mark));
      } else if (versions) {
        const auto [version, is_default] = versions->of(first + at / sizeof(Elf64_Sym));
        function.version = version;
        function.default_version = is_default;
      }
    }
  }
}

}  // namespace

std::vector<FunctionSymbol> find_functions(const ElfFile& file, std::span<const std::string_view> names) {
  const Names wanted(names.begin(), names.end());
  std::vector<FunctionSymbol> found;
  const SymbolVersions versions(file);
  // .dynsym first: where both have a function, its entry knows the version.
  for (const std::uint32_t type : {SHT_DYNSYM, SHT_SYMTAB}) {
    std::size_t tables = 0;
    for (const Section& section : file.sections()) {
      if (section.type == type && ++tables <= kMaxTables)
        search_table(file, section, wanted, type == SHT_DYNSYM ? &versions : nullptr, found);
    }
  }
  const auto place = [](const FunctionSymbol& f) { return std::tie(f.name, f.address); };
  std::stable_sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  found.erase(
      std::unique(found.begin(), found.end(), [&](const auto& a, const auto& b) { return place(a) == place(b); }),
      found.end());
  return found;
}

std::vector<std::uint64_t> find_variables(const ElfFile& file, std::span<const std::string_view> names) {
  std::vector<std::uint64_t> found(names.size());
  std::unordered_map<std::string_view, std::size_t> wanted;
  for (std::size_t i = 0; i < names.size(); ++i) wanted.emplace(names[i], i);
  std::size_t tables = 0, left = wanted.size();
  for (const Section& table : file.sections()) {
    if ((table.type != SHT_SYMTAB && table.type != SHT_DYNSYM) || ++tables > kMaxTables || left == 0 ||
        table.link >= file.sections().size())
      continue;
    const std::string strings = file.contents(file.sections()[table.link], kMaxStrings);
    const std::uint64_t count = std::min(table.size / sizeof(Elf64_Sym), kMaxSymbols);
    for (std::uint64_t first = 0; first < count && left > 0; first += kSymbolsAtOnce) {
      const std::uint64_t bytes = std::min(kSymbolsAtOnce, count - first) * sizeof(Elf64_Sym);
      const std::string chunk = file.read(table.offset + first * sizeof(Elf64_Sym), bytes, bytes);
      for (std::uint64_t at = 0; at < chunk.size(); at += sizeof(Elf64_Sym)) {
        Elf64_Sym symbol;
        std::memcpy(&symbol, chunk.data() + at, sizeof symbol);
        if (ELF64_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_shndx == SHN_UNDEF) continue;
        const auto which = wanted.find(string_at(strings, symbol.st_name));
        if (which == wanted.end() || found[which->second] != 0) continue;
        found[which->second] = symbol.st_value;
        left--;
      }
    }
  }
  return found;
}

std::uint64_t find_variable(const ElfFile& file, std::string_view name) {
  return find_variables(file, std::span(&name, 1))[0];
}

namespace {

// OpenSSL's and BoringSSL's error messages name the source file.
bool names_openssl_sources(const ElfFile& file) {
  constexpr std::uint64_t kAtOnce = 1u << 20, kMaxConstants = 512u << 20;
  constexpr std::string_view kSource = "ssl/ssl_lib.c";
  const Section* section = file.section(".rodata");
  if (!section) return false;
  const std::uint64_t size = std::min(section->size, kMaxConstants);
  for (std::uint64_t at = 0; at < size; at += kAtOnce) {
    const std::uint64_t bytes = std::min(kAtOnce + kSource.size(), size - at);
    const std::string chunk = file.read(section->offset + at, bytes, bytes);
    if (chunk.empty()) return false;
    if (chunk.find(kSource) != chunk.npos) return true;
  }
  return false;
}

}  // namespace

OpensslInside openssl_inside(const ElfFile& file) {
  if (file.kind() == ElfKind::shared_library) return OpensslInside::no;
  static constexpr std::string_view kNames[] = {"SSL_read", "SSL_write"};
  const auto found = find_functions(file, kNames);
  const auto has = [&](std::string_view name) {
    return std::any_of(found.begin(), found.end(), [&](const FunctionSymbol& f) { return f.name == name; });
  };
  if (has(kNames[0]) && has(kNames[1])) return OpensslInside::yes;
  return names_openssl_sources(file) ? OpensslInside::stripped : OpensslInside::no;
}

namespace {

// Limits for all sections together, which may well be the same bytes.
constexpr std::uint64_t kMaxRelocations = 4u << 20;  // of a library's own: libxul has 0.6 million
constexpr std::size_t kMaxSlots = 1u << 20;
constexpr std::uint64_t kRelocationsAtOnce = 16384;
constexpr std::uint64_t kMaxStubCode = 4u << 20;  // bytes
constexpr std::size_t kMaxStubNames = 16u << 20;  // bytes; libxul has 60 kB
#if defined(__aarch64__)
constexpr std::uint64_t kJumpSlot = R_AARCH64_JUMP_SLOT, kGlobalData = R_AARCH64_GLOB_DAT;
#else
constexpr std::uint64_t kJumpSlot = R_X86_64_JUMP_SLOT, kGlobalData = R_X86_64_GLOB_DAT;
#endif

struct Slot {
  std::uint64_t address = 0;  // in the global offset table
  std::uint64_t symbol = 0;
};

// The slots of the global offset table that the loader fills with a function's address.
std::vector<Slot> import_slots(const ElfFile& file) {
  std::vector<Slot> slots;
  std::uint64_t left = kMaxRelocations;
  for (const Section& section : file.sections()) {
    if (section.type != SHT_RELA || !(section.flags & SHF_ALLOC)) continue;
    const std::uint64_t count = std::min(section.size / sizeof(Elf64_Rela), left);
    left -= count;
    for (std::uint64_t first = 0; first < count; first += kRelocationsAtOnce) {
      const std::uint64_t bytes = std::min(kRelocationsAtOnce, count - first) * sizeof(Elf64_Rela);
      const std::string table = file.read(section.offset + first * sizeof(Elf64_Rela), bytes, bytes);
      if (table.empty()) break;
      for (std::uint64_t at = 0; at < bytes; at += sizeof(Elf64_Rela)) {
        Elf64_Rela relocation;
        std::memcpy(&relocation, table.data() + at, sizeof relocation);
        const auto type = ELF64_R_TYPE(relocation.r_info);
        if ((type == kJumpSlot || type == kGlobalData) && slots.size() < kMaxSlots)
          slots.push_back({relocation.r_offset, ELF64_R_SYM(relocation.r_info)});
      }
    }
  }
  std::sort(slots.begin(), slots.end(), [](const Slot& a, const Slot& b) { return a.address < b.address; });
  return slots;
}

#if defined(__aarch64__)
// A stub is "adrp x16, page; ldr x17, [x16, #offset]; add x16, x16, #offset; br x17", perhaps with "bti c" before it.
std::optional<std::uint64_t> slot_of_stub(std::string_view code, std::uint64_t address) {
  std::uint32_t words[3];
  std::uint64_t at = code.starts_with("\x5f\x24\x03\xd5") ? 4 : 0;
  if (code.size() < at + sizeof words) return std::nullopt;
  std::memcpy(words, code.data() + at, sizeof words);
  if ((words[0] & 0x9f00001f) != 0x90000010 || (words[1] & 0xffc003ff) != 0xf9400211) return std::nullopt;
  const std::int64_t pages = static_cast<std::int64_t>(std::uint64_t{words[0] >> 5 & 0x7ffff} << 45 |
                                                       std::uint64_t{words[0] >> 29 & 3} << 43) >>
                             43;
  return ((address + at) & ~std::uint64_t{0xfff}) + static_cast<std::uint64_t>(pages) * 4096 +
         (words[1] >> 10 & 0xfff) * 8;
}
#else
// A stub is "jmp *slot(%rip)", since CET with endbr64 before it and perhaps a bnd prefix.
std::optional<std::uint64_t> slot_of_stub(std::string_view code, std::uint64_t address) {
  std::uint64_t at = 0;
  if (code.starts_with("\xf3\x0f\x1e\xfa")) at = 4;
  if (code.size() > at && code[at] == '\xf2') ++at;
  if (code.size() < at + 6 || code.substr(at, 2) != "\xff\x25") return std::nullopt;
  std::int32_t displacement;
  std::memcpy(&displacement, code.data() + at + 2, sizeof displacement);
  return address + at + 6 + static_cast<std::uint64_t>(static_cast<std::int64_t>(displacement));
}
#endif

}  // namespace

std::vector<ImportStub> import_stubs(const ElfFile& file) {
  std::vector<ImportStub> stubs;
  const auto& sections = file.sections();
  const auto table = std::find_if(sections.begin(), sections.end(), [](const auto& s) { return s.type == SHT_DYNSYM; });
  if (table == sections.end() || table->link >= sections.size()) return stubs;
  const std::string strings = file.contents(sections[table->link], kMaxStrings);
  const auto slots = import_slots(file);
  std::uint64_t code_left = kMaxStubCode;
  std::size_t names_left = kMaxStubNames;
  for (const Section& section : sections) {
    if (!section.name.starts_with(".plt") || !(section.flags & SHF_EXECINSTR)) continue;
    const std::string code = file.contents(section, code_left);
    code_left -= code.size();
    for (std::uint64_t at = 0; at < code.size(); at += 8) {  // stubs are 8 (.plt.got) or 16 bytes
      const auto address = slot_of_stub(std::string_view(code).substr(at), section.address + at);
      if (!address) continue;
      const auto slot = std::lower_bound(slots.begin(), slots.end(), *address,
                                         [](const Slot& s, std::uint64_t wanted) { return s.address < wanted; });
      if (slot == slots.end() || slot->address != *address) continue;
      Elf64_Sym symbol;
      if (slot->symbol >= table->size / sizeof symbol) continue;
      const std::string bytes = file.read(table->offset + slot->symbol * sizeof symbol, sizeof symbol, sizeof symbol);
      if (bytes.empty()) continue;
      std::memcpy(&symbol, bytes.data(), sizeof symbol);
      const std::string_view name = string_at(strings, symbol.st_name);
      if (name.empty() || name.size() > names_left) continue;
      names_left -= name.size();
      stubs.push_back({section.address + at, std::string(name)});
    }
  }
  std::sort(stubs.begin(), stubs.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return stubs;
}

std::vector<std::uint64_t> functions_that_never_return(const ElfFile& file) {
  // Declared so by their libraries.
  static constexpr std::string_view kNames[] = {"__stack_chk_fail",
                                                "__fortify_fail",
                                                "__chk_fail",
                                                "abort",
                                                "exit",
                                                "_exit",
                                                "__assert_fail",
                                                "_Unwind_Resume",
                                                "__cxa_throw",
                                                "__cxa_rethrow",
                                                "_ZSt9terminatev",
                                                "OPENSSL_die",
                                                "longjmp",
                                                "__longjmp_chk",
                                                "siglongjmp",
                                                "quick_exit",
                                                "pthread_exit",
                                                "__stack_chk_fail_local"};
  std::vector<std::uint64_t> addresses;
  for (const ImportStub& stub : import_stubs(file)) {
    if (std::find(std::begin(kNames), std::end(kNames), stub.name) != std::end(kNames))
      addresses.push_back(stub.address);
  }
  for (const FunctionSymbol& function : find_functions(file, kNames)) addresses.push_back(function.address);
  std::sort(addresses.begin(), addresses.end());
  addresses.erase(std::unique(addresses.begin(), addresses.end()), addresses.end());
  return addresses;
}

}  // namespace tailcap::capture::symbols
