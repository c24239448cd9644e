// CPython inside a file: its version, and where the objects are by which its structures are found and proved.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/symbols/code_segments.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

class PythonProgram {
 public:
  PythonProgram() = default;
  explicit PythonProgram(const ElfFile& file);

  bool found() const { return runtime_ != 0; }
  // As in PY_VERSION_HEX, 0x030b02f0; 0: the file does not say, as those before 3.11.
  std::uint32_t version() const { return version_; }
  // Addresses in the file; 0: not known.
  std::uint64_t runtime() const { return runtime_; }      // _PyRuntime
  std::uint64_t code_type() const { return code_type_; }  // PyCode_Type
  std::uint64_t text_type() const { return text_type_; }  // PyUnicode_Type
  const CodeSegments& code() const { return code_; }      // executable segments

  void encode(scan::Encoder& out) const;
  static PythonProgram decode(scan::Decoder& in);

 private:
  std::uint32_t version_ = 0;
  std::uint64_t runtime_ = 0, code_type_ = 0, text_type_ = 0;
  CodeSegments code_;
};

}  // namespace tailcap::capture::symbols
