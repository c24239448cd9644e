// docs/agents.md, which the build puts into the program.
#pragma once

namespace tailcap::cli {

extern const char* const kForAgents;

}  // namespace tailcap::cli
