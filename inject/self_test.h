// Whether this kernel adds bytes where it is asked to, and no others.
#pragma once

#include <cstdint>
#include <string>

#include "inject/programs.h"

namespace tailcap::inject {

// Sends requests over loopback and compares what arrives, byte by byte, with what should. Empty: all of it was right;
// else what was not. Throws std::system_error.
std::string self_test(Programs& programs, std::uint64_t machine_salt, bool sampled);

}  // namespace tailcap::inject
