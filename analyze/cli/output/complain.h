// Messages on standard error.
#pragma once

#include <string_view>

namespace tailcap::cli {

// "tailcap COMMAND: MESSAGE". What is in the message may come from a capture, a file name or the command line: it
// cannot control the terminal (formats/printable.h). An empty command is the program itself.
void complain(std::string_view command, std::string_view message);

}  // namespace tailcap::cli
