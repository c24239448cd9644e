#include <stdexcept>

#include "analyze/commands/command.h"

namespace tailcap::commands {

int run_events(int, char**) { throw std::runtime_error("not built yet"); }

}  // namespace tailcap::commands
