// The processes that a command line names, as they exist when the recording begins.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "capture/options/options.h"

namespace tailcap::capture {

// In a list, as pidof prints it, some may have ended since. Throws where none is left.
void find_processes(std::vector<std::uint32_t>& pids);

// What the user called processes. command_pid: of the recorded command; 0: there is none.
std::map<std::uint32_t, std::string> names_of(const Options& options, std::uint32_t command_pid);

// Existing processes that are not selected by their numbers.
std::vector<std::uint32_t> chosen_by_name(const Selection& selection);

}  // namespace tailcap::capture
