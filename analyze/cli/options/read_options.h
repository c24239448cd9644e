// Options of all commands that read captures: what reading may take (formats/read_limits.h).
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tailcap::cli {

// Takes --max-memory and --max-requests out of the arguments and sets the limits. Returns what is wrong with them.
std::optional<std::string> take_read_options(std::vector<char*>& arguments);

// Says which captures were not read to their end, and why. Returns the exit code of a command that ended with `code`.
int report_stops(const char* command, int code);

}  // namespace tailcap::cli
