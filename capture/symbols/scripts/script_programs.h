// The interpreters of scripts inside a file.
#pragma once

#include "capture/symbols/code_segments.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"
#include "capture/symbols/scripts/hotspot.h"
#include "capture/symbols/scripts/php.h"
#include "capture/symbols/scripts/python.h"
#include "capture/symbols/scripts/ruby.h"
#include "capture/symbols/scripts/v8.h"

namespace tailcap::capture::symbols {

struct ScriptPrograms {
  PythonProgram python;
  PhpProgram php;
  V8Program v8;
  RubyProgram ruby;
  HotspotProgram hotspot;
  CodeSegments code;  // executable segments

  ScriptPrograms() = default;
  explicit ScriptPrograms(const ElfFile& file);

  void encode(scan::Encoder& out) const;
  static ScriptPrograms decode(scan::Decoder& in);
};

}  // namespace tailcap::capture::symbols
