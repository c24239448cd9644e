// What a Disassembler keeps of capstone.
#pragma once

#include <capstone/capstone.h>

#include "capture/symbols/instruction.h"

namespace tailcap::capture::symbols {

struct Disassembler::State {
  csh handle = 0;
  cs_insn* instruction = nullptr;
};

}  // namespace tailcap::capture::symbols
