// `tailcap-record symbolize`: what `tailcap symbolize` executes, because the recorder has the readers of debug files.
#pragma once

namespace tailcap::capture::symbolize {

// argv: IN OUT (overwrite|keep) FOLDER… Prints to stdout. Exit code: as docs/COMMANDS.md.
int run_symbolize(int argc, char** argv);

}  // namespace tailcap::capture::symbolize
