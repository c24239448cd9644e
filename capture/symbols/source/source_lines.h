// Which lines of source an address of a file is, and which functions the compiler has put into their callers there:
// small enough to keep, and to hand from one process to another.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/symbols/elf/dwarf_file.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

// One function at an address.
struct SourceFrame {
  std::string_view function;  // empty: the one that symbols name
  std::string_view file;      // without folders; empty: not known
  std::uint32_t line = 0;     // that is executed; in a caller, that of the call
};

class SourceLines {
 public:
  // The innermost first: functions that were put into their callers, and the one that symbols name. Empty: not known.
  // Views of this object.
  std::vector<SourceFrame> at(std::uint64_t address) const;
  // False: the address is in a unit that was not read.
  bool covers(std::uint64_t address) const;
  bool empty() const { return rows_.empty() && spans_.empty(); }
  std::uint64_t memory() const;  // bytes that this takes, about

  void encode(scan::Encoder& out) const;
  static SourceLines decode(scan::Decoder& in);

 private:
  friend class SourceReader;
  // A call that the compiler replaced by the function's code.
  struct Inlined {
    std::uint32_t function = 0;  // where in the texts, up to a zero
    std::uint32_t file = 0, line = 0;
    std::uint32_t within = 0;  // the number of another one, from 1; 0: the function that symbols name
  };
  // From this address to that of the next. inlined: the number of an Inlined, from 1; 0: none.
  struct Span {
    std::uint64_t address = 0;
    std::uint32_t inlined = 0, unused = 0;
  };
  struct Row {
    std::uint64_t address = 0;
    std::uint32_t file = 0, line = 0;  // line 0: not known
  };
  // From this address to that of the next.
  struct Part {
    std::uint64_t address = 0;
    std::uint32_t left_out = 0, unused = 0;  // left_out: 1: in a unit that was not read
  };
  const Row* row_at(std::uint64_t address) const;
  std::string_view text(std::uint32_t at) const { return texts_.c_str() + at; }

  std::vector<Row> rows_;  // by address, as the spans and the parts
  std::vector<Span> spans_;
  std::vector<Part> parts_;       // empty: all units were read
  std::vector<Inlined> inlined_;  // each after the one that it is within
  std::string texts_;
};

// A file whose debug information stays open: opening it takes most of the time.
class SourceFile {
 public:
  explicit SourceFile(ElfFile file, std::uint64_t most = UINT64_MAX);  // most: see open_dwarf
  // From DWARF, only of the compilation units that have code at these addresses; none: of all. Empty where there is no
  // DWARF, it is too large, or it says what these limits do not hold.
  SourceLines lines(std::span<const std::uint64_t> addresses = {}) const;
  std::uint64_t inflated() const { return inflated_; }  // bytes of memory

 private:
  ElfFile file_;
  std::uint64_t inflated_ = 0;
  DwarfHandle dwarf_;
};

}  // namespace tailcap::capture::symbols
