// In which functions of the program the requests of a run were on a CPU.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/gate/run.h"
#include "analyze/views/flame/request_stacks.h"

namespace tailcap::views {

// The innermost function of the program in a stack and the one that called it; empty: none has a name. In stacks of
// Python, PHP, JavaScript, Ruby or Java only its functions are meant, without the number of their line, which differs
// between versions.
struct ProgramFunction {
  std::string name, caller;
};
ProgramFunction program_function(std::string_view stack);

// Fills what is said of samples in the run and its routes. stacks: read beside the analysis of the run.
void read_functions(const RequestStacks& stacks, model::gate::Run& run);

}  // namespace tailcap::views
