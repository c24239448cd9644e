// How callers are found in a file's code without frame pointers: rows for the kernel program (bpf/event_unwind.h), from
// the exception tables (.eh_frame) of x86-64.
#pragma once

#include <cstdint>
#include <vector>

#include "bpf/event.h"
#include "capture/symbols/code_segments.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

class UnwindRules {
 public:
  UnwindRules() = default;
  explicit UnwindRules(const ElfFile& file);

  // By address, each from its pc up to the next one. Empty: the file has no such tables.
  const std::vector<bpf::unwind_row>& rows() const { return rows_; }
  // Executable segments: which address a place in the file has.
  const CodeSegments& code() const { return code_; }

  void encode(scan::Encoder& out) const;
  static UnwindRules decode(scan::Decoder& in);  // rows are in order

 private:
  std::vector<bpf::unwind_row> rows_;
  CodeSegments code_;
};

}  // namespace tailcap::capture::symbols
