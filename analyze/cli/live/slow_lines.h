// A line for each slow request of a recording that is under way, with the longest of its waits.
#pragma once

#include <string>

#include "formats/time.h"

namespace tailcap::cli {

// Until the recording ends. file: what it is written to. least: the duration from which on a request is slow. Returns
// the exit code.
int print_slow_lines(const std::string& file, formats::Duration least);

}  // namespace tailcap::cli
