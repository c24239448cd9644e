// The probes of one function of a file: its code, its outlined parts, and the places chosen in it, ready to be
// attached.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/elf/elf_symbols.h"
#include "capture/symbols/elf/unwind_table.h"
#include "capture/symbols/probe_place.h"

namespace tailcap::capture::symbols {

struct FunctionProbes {
  EntryChoice entry;
  ResultChoice results;
};

// Reads once what all functions of a file share.
class ProbePlacer {
 public:
  explicit ProbePlacer(const ElfFile& file);  // file must outlive it

  // function: from find_functions or GoBinary::find. If its size is 0, the exception tables are searched; if they do
  // not contain it either, only the entry is placed.
  FunctionProbes place(const FunctionRange& function, const Signature& signature) const;

  // The place's offset in the file, for the kernel. The place must come from this file.
  std::uint64_t file_offset(const Place& chosen) const;
  // The bytes at a place: an instruction, and the bytes after it that an instruction may span.
  std::string code_at(const Place& chosen) const;
  // For an exit: the imported function that a stub leads to, or "".
  std::string import_at(std::uint64_t address) const;

 private:
  FunctionCode code_of(const FunctionRange& function) const;
  bool add_part(FunctionCode& code, std::uint64_t exit) const;

  const ElfFile& file_;
  std::vector<std::uint64_t> never_return_;
  std::vector<FunctionRange> unwind_;  // by address: functions in the exception tables, with or without symbols
  std::vector<ImportStub> imports_;
  Calls calls_;
};

}  // namespace tailcap::capture::symbols
