// CPython inside a file: its version, and where the objects are by which its structures are found and proved.
#pragma once

#include <cstdint>
#include <optional>

#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"

namespace tailcap::capture::symbols {

// Where CPython 3.13 says that the fields of its structures are (_Py_DebugOffsets).
struct PythonOffsets {
  std::uint64_t runtime_interpreters = 0;
  std::uint64_t interpreter_next = 0, interpreter_threads = 0, interpreter_holder = 0;
  std::uint64_t thread_next = 0, thread_frame = 0, thread_id = 0;
  std::uint64_t frame_previous = 0, frame_code = 0, frame_instruction = 0, frame_owner = 0;
  std::uint64_t code_file = 0, code_name = 0, code_lines = 0, code_first_line = 0, code_begin = 0;
  std::uint64_t object_type = 0;
  std::uint64_t text_state = 0, text_length = 0, text_ascii = 0;
};

class PythonProgram {
 public:
  PythonProgram() = default;
  explicit PythonProgram(const ElfFile& file);

  bool found() const { return runtime_ != 0; }
  // As in PY_VERSION_HEX, 0x030b02f0; before 3.11 without the third number. 0: not known.
  std::uint32_t version() const { return version_; }
  // Addresses in the file; 0: not known.
  std::uint64_t runtime() const { return runtime_; }      // _PyRuntime
  std::uint64_t code_type() const { return code_type_; }  // PyCode_Type
  std::uint64_t text_type() const { return text_type_; }  // PyUnicode_Type
  // None: another version than 3.13, a build without the global lock, or what it says is not valid.
  const std::optional<PythonOffsets>& offsets() const { return offsets_; }

  void encode(scan::Encoder& out) const;
  static PythonProgram decode(scan::Decoder& in);

 private:
  std::uint32_t version_ = 0;
  std::uint64_t runtime_ = 0, code_type_ = 0, text_type_ = 0;
  std::optional<PythonOffsets> offsets_;
};

}  // namespace tailcap::capture::symbols
