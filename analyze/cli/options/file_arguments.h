// The arguments of the commands that take words (files, what is meant in them), switches, and options with values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace tailcap::cli {

// A switch is set where it is given; an option takes its value, one that may be repeated all of them.
struct Option {
  template <class Target>
  Option(const char* n, Target& t) : name(n), target(&t) {}

  const char* name;  // "json", "output,o": with its letter
  std::variant<bool*, std::string*, std::vector<std::uint32_t>*> target;
};

struct FileArguments {
  std::optional<int> exit;  // set: help was printed (0) or the usage was wrong (2); return it
  std::vector<std::string> words;
};

enum class MoreWords : std::uint8_t { refused, taken };

// argv[0] is the command. `help` is printed for --help. One word for each of `missing`, which says what is wrong where
// it is not there.
FileArguments parse_file_arguments(int argc, char** argv, const char* help, std::initializer_list<const char*> missing,
                                   std::initializer_list<Option> options, MoreWords more = MoreWords::refused);

// Says what is wrong with the arguments of `command`. Returns the exit code.
int wrong_usage(const char* command, const std::string& why);

}  // namespace tailcap::cli
