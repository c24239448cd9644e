// The arguments of the commands that take words (a file, what is meant in it) and a few switches.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

namespace tailcap::commands {

struct Switch {
  const char* name;
  bool& on;
};

struct FileArguments {
  std::optional<int> exit;  // set: help was printed (0) or the usage was wrong (2); return it
  std::vector<std::string> words;
};

// argv[0] is the command. `help` is printed for --help. One word for each of `missing`, which says what is wrong where it
// is not there.
FileArguments parse_file_arguments(int argc, char** argv, const char* help, std::initializer_list<const char*> missing,
                                   std::initializer_list<Switch> switches);

// Says what is wrong with the arguments of `command`. Returns the exit code.
int wrong_usage(const char* command, const std::string& why);

}  // namespace tailcap::commands
