// The capture that is meant where none is named.
#pragma once

#include <string>

namespace tailcap::cli {

// Name of the *.tcap file in the working directory that was written last; says on standard error which it is. Throws
// UsageError where there is none.
std::string capture_here(const char* command);

}  // namespace tailcap::cli
