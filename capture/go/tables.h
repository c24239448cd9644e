// The sources of a Go program's names during recording, so that its file is no longer needed: its functions, and the
// methods of its types that gRPC's handlers may call.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "capture/go/program.h"
#include "capture/symbols/elf/elf_file.h"
#include "capture/symbols/encoding.h"
#include "capture/symbols/function_names.h"

namespace tailcap::capture::go {

struct Tables {
  // The only method of the type, by the address of its descriptor, that the handler with this number may call.
  struct Method {
    std::uint16_t handler = 0;
    std::uint64_t type = 0, function = 0;
  };
  symbols::FunctionNames functions;
  std::vector<Method> methods;

  void encode(scan::Encoder& out) const;
  static Tables decode(scan::Decoder& in);
};

Tables read_tables(const symbols::ElfFile& file, const Program& program);

}  // namespace tailcap::capture::go
