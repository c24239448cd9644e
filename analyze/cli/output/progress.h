// One line on standard error while a capture is being read for longer than two seconds. Only where a person reads it.
#pragma once

#include "analyze/pipeline/replay.h"

namespace tailcap::cli {

// Empty where standard error is no terminal.
pipeline::Progress progress_on_terminal();

}  // namespace tailcap::cli
