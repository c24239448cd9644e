// Command lines without their arguments, which often hold passwords.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailcap::capture::mask {

// Of arguments joined by spaces, the first word: the program, as it was called. Programs that write their state over
// their command line (postgres: USER DATABASE …) keep its first word, too.
std::string_view program_of(std::string_view command_line);

// The recorder's own, which says how a capture was made: its options whole, and of the command behind -- the program.
std::vector<std::string> own_command_line(const std::vector<std::string>& words);

}  // namespace tailcap::capture::mask
