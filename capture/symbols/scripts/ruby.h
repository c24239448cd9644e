// Ruby inside a file: its version, and where its structures and its interpreter begin.
#pragma once

#include <cstdint>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

class RubyProgram {
 public:
  RubyProgram() = default;
  explicit RubyProgram(const ElfFile& file);

  bool found() const { return major_ != 0; }
  std::uint32_t major() const { return major_; }
  std::uint32_t minor() const { return minor_; }
  // Addresses in the file; 0: not known.
  std::uint64_t machine() const { return machine_; }          // ruby_current_vm_ptr
  std::uint64_t names() const { return names_; }              // ruby_global_symbols
  std::uint64_t interpreter() const { return interpreter_; }  // vm_exec_core, which is mostly stripped
  std::uint64_t interpreter_bytes() const { return interpreter_bytes_; }
  bool executes(std::uint64_t file_offset) const { return file_offset - interpreter_offset_ < interpreter_bytes_; }

  void encode(scan::Encoder& out) const;
  static RubyProgram decode(scan::Decoder& in);

 private:
  std::uint32_t major_ = 0, minor_ = 0;
  std::uint64_t machine_ = 0, names_ = 0;
  std::uint64_t interpreter_ = 0, interpreter_bytes_ = 0, interpreter_offset_ = 0;
};

}  // namespace tailcap::capture::symbols
