#include "capture/symbols/scripts/script_programs.h"

namespace tailcap::capture::symbols {

#if defined(__aarch64__)
// Where interpreters keep their frames has been examined on x86-64 only.
ScriptPrograms::ScriptPrograms(const ElfFile& file) : code(code_segments(file)) {}
#else
ScriptPrograms::ScriptPrograms(const ElfFile& file)
    : python(file), php(file), v8(file), ruby(file), hotspot(file), code(code_segments(file)) {}
#endif

void ScriptPrograms::encode(scan::Encoder& out) const {
  python.encode(out);
  php.encode(out);
  v8.encode(out);
  ruby.encode(out);
  hotspot.encode(out);
  symbols::encode(out, code);
}

ScriptPrograms ScriptPrograms::decode(scan::Decoder& in) {
  ScriptPrograms programs;
  programs.python = PythonProgram::decode(in);
  programs.php = PhpProgram::decode(in);
  programs.v8 = V8Program::decode(in);
  programs.ruby = RubyProgram::decode(in);
  programs.hotspot = HotspotProgram::decode(in);
  programs.code = decode_code_segments(in);
  return programs;
}

}  // namespace tailcap::capture::symbols
