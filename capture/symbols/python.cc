#include "capture/symbols/python.h"

#include <cstring>

#include "capture/symbols/elf/elf_symbols.h"

namespace tailcap::capture::symbols {

namespace {

std::uint32_t version_of(const ElfFile& file) {
  std::uint64_t version = 0;  // an unsigned long
  const std::uint64_t address = find_variable(file, "Py_Version");
  const std::string bytes = address == 0 ? "" : file.read_address(address, sizeof version, sizeof version);
  if (bytes.size() != sizeof version) return 0;
  std::memcpy(&version, bytes.data(), sizeof version);
  return version <= UINT32_MAX ? static_cast<std::uint32_t>(version) : 0;
}

}  // namespace

PythonProgram::PythonProgram(const ElfFile& file) : runtime_(find_variable(file, "_PyRuntime")) {
  if (!found()) return;
  version_ = version_of(file);
  code_type_ = find_variable(file, "PyCode_Type");
  text_type_ = find_variable(file, "PyUnicode_Type");
  code_ = code_segments(file);
}

void PythonProgram::encode(scan::Encoder& out) const {
  out.number(version_);
  out.number(runtime_);
  out.number(code_type_);
  out.number(text_type_);
  symbols::encode(out, code_);
}

PythonProgram PythonProgram::decode(scan::Decoder& in) {
  PythonProgram program;
  program.version_ = in.number<std::uint32_t>();
  program.runtime_ = in.number<std::uint64_t>();
  program.code_type_ = in.number<std::uint64_t>();
  program.text_type_ = in.number<std::uint64_t>();
  program.code_ = decode_code_segments(in);
  return program;
}

}  // namespace tailcap::capture::symbols
