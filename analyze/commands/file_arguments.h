// The arguments of the commands that take files and a few switches: info, check, recover.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tailcap::commands {

struct FileArguments {
  std::optional<int> exit;  // set: help was printed (0) or the usage was wrong (2); return it
  std::vector<std::string> files;
  bool json = false;
  bool force = false;
};

enum class Switches { json, force };

// argv[0] is the command. `help` is printed for --help; `files` is how many files it takes.
FileArguments parse_file_arguments(int argc, char** argv, const char* help, std::size_t files, Switches switches);

}  // namespace tailcap::commands
