// Where the fields lie in the structures of CPython, by its version (bpf/event_python.h), and how its functions are
// written.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "bpf/event.h"
#include "capture/stacks/scripts/language.h"
#include "capture/symbols/scripts/python.h"

namespace tailcap::capture::stacks {

// Layouts of versions whose structures are known; others change them, so nothing is read of those.
std::optional<bpf::python_layout> python_layout(const symbols::PythonProgram& program);
// "Python 3.14"; file: its name, where the program does not say its version.
std::string python_version(const symbols::PythonProgram& program, std::string_view file);

extern const ScriptLanguage kPythonLanguage;

}  // namespace tailcap::capture::stacks
