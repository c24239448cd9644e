#include "capture/symbols/scripts/script_programs.h"

namespace tailcap::capture::symbols {

ScriptPrograms::ScriptPrograms(const ElfFile& file) : python(file), code(code_segments(file)) {}

void ScriptPrograms::encode(scan::Encoder& out) const {
  python.encode(out);
  symbols::encode(out, code);
}

ScriptPrograms ScriptPrograms::decode(scan::Decoder& in) {
  ScriptPrograms programs;
  programs.python = PythonProgram::decode(in);
  programs.code = decode_code_segments(in);
  return programs;
}

}  // namespace tailcap::capture::symbols
