// Functions of an ELF file by name, from .dynsym and .symtab, and the targets of its procedure linkage table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

struct FunctionSymbol {
  std::string name;             // without the version
  std::string version;          // "OPENSSL_3.0.0"; empty: none
  bool default_version = true;  // the version that a program linked today gets ("@@")
  bool exported = false;        // from .dynsym
  std::uint64_t address = 0;
  std::uint64_t size = 0;         // 0: not in the file
  std::uint64_t file_offset = 0;  // for a uprobe
};

// All definitions of these names, each place once, ordered by name and address. Functions outside the loaded executable
// code are left out, and so are indirect functions (their symbol is the resolver, not the function).
std::vector<FunctionSymbol> find_functions(const ElfFile& file, std::span<const std::string_view> names);

// The address of a variable of the program, from .dynsym or .symtab; 0: no such name, or stripped.
std::uint64_t find_variable(const ElfFile& file, std::string_view name);
// The same for several at once.
std::vector<std::uint64_t> find_variables(const ElfFile& file, std::span<const std::string_view> names);

// Whether OpenSSL (or a library with its interface, such as BoringSSL) is linked into a program: node, Envoy.
enum class OpensslInside : std::uint8_t {
  no,
  yes,
  stripped,  // its source file names are present, its function names are not: it cannot be probed
};
OpensslInside openssl_inside(const ElfFile& file);

// A stub of the procedure linkage table: a call to address arrives at the function name of some library.
struct ImportStub {
  std::uint64_t address = 0;
  std::string name;
};

std::vector<ImportStub> import_stubs(const ElfFile& file);  // by address

// Addresses of functions that never return (__stack_chk_fail, abort, …), stubs and own ones: calls to them end a path.
std::vector<std::uint64_t> functions_that_never_return(const ElfFile& file);  // sorted

}  // namespace tailcap::capture::symbols
