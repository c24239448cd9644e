// PHP inside a file: its version, and where its structures begin.
#pragma once

#include <cstdint>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

class PhpProgram {
 public:
  PhpProgram() = default;
  explicit PhpProgram(const ElfFile& file);

  bool found() const { return globals_ != 0 || threads_; }
  // ZEND_MODULE_API_NO, which changes with the structures: 20220829 is PHP 8.2. 0: not known.
  std::uint32_t api() const { return api_; }
  std::uint64_t globals() const { return globals_; }  // executor_globals: address in the file; 0: not known
  bool threads() const { return threads_; }           // each thread has its own, which are not at one address
  bool debug() const { return debug_; }               // a build whose structures have more fields

  void encode(scan::Encoder& out) const;
  static PhpProgram decode(scan::Decoder& in);

 private:
  std::uint64_t globals_ = 0;
  std::uint32_t api_ = 0;
  bool threads_ = false, debug_ = false;
};

}  // namespace tailcap::capture::symbols
