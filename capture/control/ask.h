// `tailcap control FILE COMMAND`: speaks to the recorder that writes FILE.
#pragma once

namespace tailcap::capture {

// Prints the answer. Exit code: 0 done, 1 failed or no recorder runs, 2 bad usage.
int run_control(int argc, char** argv);

}  // namespace tailcap::capture
