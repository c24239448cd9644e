// Command lines without their arguments, which often hold passwords.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailcap::capture::mask {

// The first word of arguments joined by spaces: the program, as it was called. Programs that write their state over
// their command line (postgres: USER DATABASE …) also keep only its first word.
std::string_view program_of(std::string_view command_line);

// The recorder's own command line, which records how a capture was made: all its options, and the program of the
// command after --.
std::vector<std::string> own_command_line(const std::vector<std::string>& words);

}  // namespace tailcap::capture::mask
