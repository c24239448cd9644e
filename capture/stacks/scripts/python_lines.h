// Which line of its file an instruction of CPython is of, by the tables that CPython keeps with each function.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "bpf/event.h"

namespace tailcap::capture::stacks {

struct PythonLines {
  bpf::script_lines form{};
  std::string_view table;
  std::uint32_t code_bytes = 0;  // of all instructions
  std::uint32_t first_line = 0;
};

// at: the instruction's first byte. None: it has no line, or the table is not one of this code.
std::optional<std::uint32_t> python_line(const PythonLines& lines, std::uint32_t at);

}  // namespace tailcap::capture::stacks
