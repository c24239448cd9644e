// What a program may ask over the Model Context Protocol: questions of commands that only read.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::cli {

struct ToolArgument {
  enum class Type : std::uint8_t { text, number, texts };
  std::string_view name;
  Type type = Type::text;
  std::string_view option;  // that it is the value of; empty: a word of the command line
  bool needed = false;
  std::string_view says;
};

struct Tool {
  std::string_view name, says;
  std::vector<std::string_view> command;  // the first words
  std::vector<ToolArgument> arguments;    // words in their order
};

std::span<const Tool> tools();

}  // namespace tailcap::cli
