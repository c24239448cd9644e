// A Go program's description of itself: its version, modules and functions, stripped or not.
//
// Functions come from the line table (.gopclntab), which the runtime needs and stripping keeps. The layouts of Go
// 1.18/1.19 and of 1.20 and later are understood; for an older program there is a version but no functions.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/elf_file.h"

namespace tailcap::capture::symbols {

// Bytes of a line table that are read: Kubernetes' largest has 60 MiB.
inline constexpr std::uint64_t kMaxGoTable = 128u << 20;

struct GoBuild {
  std::string version;  // "go1.22.3"; may have more after a space
  std::string path;     // the main package: "example.org/shop/cmd/server"; empty where not recorded
  std::string module;   // the main module and its version: "example.org/shop v1.4.0"
  std::string lines;    // its modules, and the settings of its build that hold no text of their own; one line each
};

// From .go.buildinfo; nothing if this is not a Go program or has no such data.
std::optional<GoBuild> go_build(const ElfFile& file);
// Whether it is a Go program; it may be one without naming its version.
bool is_go(const ElfFile& file);

struct GoFunction {
  std::string name;  // "crypto/tls.(*Conn).Read"
  std::uint64_t address = 0;
  std::uint64_t size = 0;  // up to the next function: padding included
};

class GoFunctions {
 public:
  // If there are no functions, problem() says why.
  explicit GoFunctions(const ElfFile& file);

  std::size_t size() const { return count_; }
  const std::string& problem() const { return problem_; }
  std::uint64_t text() const { return text_; }  // the address at which the program's Go code starts
  // Every function of one of these names, by address.
  std::vector<GoFunction> find(std::span<const std::string_view> names) const;
  std::optional<GoFunction> at(std::size_t index) const;  // index < size(); nothing if the table is damaged there
  std::optional<GoFunction> around(std::uint64_t address) const;  // the function that this address is in

 private:
  bool read_header(const ElfFile& file, std::uint64_t address);
  bool find_text(const ElfFile& file, std::uint64_t address);
  bool looks_like_go(const ElfFile& file, std::uint64_t text) const;

  std::string table_;
  std::uint64_t names_ = 0, functions_ = 0;  // offsets in table_
  std::size_t count_ = 0;
  std::uint64_t text_ = 0;  // where the program's Go code starts: the table counts from there
  std::string problem_;
};

}  // namespace tailcap::capture::symbols
