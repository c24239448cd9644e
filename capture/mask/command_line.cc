#include "capture/mask/command_line.h"

namespace tailcap::capture::mask {

std::string_view program_of(std::string_view command_line) { return command_line.substr(0, command_line.find(' ')); }

std::vector<std::string> own_command_line(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    out.push_back(words[i]);
    if (i == 0 || words[i] != "--") continue;
    if (i + 1 < words.size()) out.push_back(words[i + 1]);
    if (i + 2 < words.size()) out.push_back("…");
    break;
  }
  return out;
}

}  // namespace tailcap::capture::mask
