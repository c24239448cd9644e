// A language whose functions the kernel program reads from the structures of its interpreter (bpf/event_script.h).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "bpf/event.h"
#include "capture/symbols/scripts/script_programs.h"

namespace tailcap::capture::stacks {

struct ScriptText {
  std::string text;  // UTF-8
  bool cut = false;  // there was more of it
};

// What a function says of itself.
struct ScriptCode {
  ScriptText name, file, scope;  // the beginning of name and scope, the end of file
  std::uint32_t first_line = 0;
};

struct ScriptLanguage {
  bpf::script_language number{};
  std::string_view name;
  std::string_view called;       // names of files that have its interpreter have this in them
  std::string_view interpreter;  // the function that executes its code; empty: code has frames of its own
  bool sure;                     // no other program has a function of that name
  bool (*found)(const symbols::ScriptPrograms& programs);
  // bias: by how much addresses of the process exceed those in the file. None: the structures of this version are not
  // known.
  std::optional<bpf::script_process> (*process)(const symbols::ScriptPrograms& programs, std::uint64_t bias);
  // "Python 3.14"; file: its name, where the program does not say its version.
  std::string (*version)(const symbols::ScriptPrograms& programs, std::string_view file);
  // As written in stacks; empty: a step of the interpreter itself.
  std::string (*frame)(const ScriptCode& code);
  // "svc.py:7"; null: which line is executed is not read.
  std::string (*line)(const ScriptText& file, std::uint32_t line) = nullptr;
  // Whether a place of the file is in the interpreter; null: its function has a name in every file.
  bool (*executes)(const symbols::ScriptPrograms& programs, std::uint64_t file_offset) = nullptr;
};

std::span<const ScriptLanguage* const> languages();
const ScriptLanguage* language_of(std::uint32_t number);  // null: there is none

// "render_invoice (svc.py:5)". with_folder: names of files that many have, which are written with their folder.
std::string script_frame(const ScriptText& function, const ScriptText& file, std::uint32_t line,
                         std::span<const std::string_view> with_folder);
// "svc.py:5", likewise.
std::string script_line(const ScriptText& file, std::uint32_t line, std::span<const std::string_view> with_folder);

}  // namespace tailcap::capture::stacks
