// `tailcap doctor`: can this machine record? A line per requirement, OK or what repairs it.
#pragma once

namespace tailcap::capture {

// Prints to stdout. Exit code: 0 recording is possible, 1 it is not, 2 bad usage.
int run_doctor(int argc, char** argv);

}  // namespace tailcap::capture
