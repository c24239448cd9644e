#include "analyze/cli/output/complain.h"

#include <cstdio>
#include <string>

#include "formats/printable.h"

namespace tailcap::cli {

void complain(std::string_view command, std::string_view message) {
  const std::string text = "tailcap" + (command.empty() ? "" : " " + std::string(command)) + ": " +
                           formats::printable_message(message) + "\n";
  std::fflush(stdout);  // what was printed before is above the message, in a terminal and in a file
  std::fputs(text.c_str(), stderr);
}

}  // namespace tailcap::cli
