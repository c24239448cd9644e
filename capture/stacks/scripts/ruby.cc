#include "capture/stacks/scripts/ruby.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

using symbols::RubyProgram;

// The structures stay within a minor version.
struct RubyVersion {
  std::uint32_t major, minor;
  bpf::ruby_layout layout;
};
constexpr RubyVersion kRubyVersions[] = {
    {2,
     7,
     {.ractors = 0,
      .ractor_node = 0,
      .threads = 312,
      .thread_frames = 32,
      .thread_native = 0,
      .thread_id = 72,
      .context_thread = 56,
      .frame_size = 56,
      .ways = 0,
      .unused = {}}},
    {3,
     1,
     {.ractors = 8,
      .ractor_node = 568,
      .threads = 304,
      .thread_frames = 40,
      .thread_native = 0,
      .thread_id = 80,
      .context_thread = 48,
      .frame_size = 64,
      .ways = 0,
      .unused = {}}},
    {3,
     3,
     {.ractors = 8,
      .ractor_node = 432,
      .threads = 256,
      .thread_frames = 48,
      .thread_native = 40,
      .thread_id = 16,
      .context_thread = 48,
      .frame_size = 56,
      .ways = RUBY_LENGTH_FIRST | RUBY_LONG_WITHIN | RUBY_PLAIN_LINE,
      .unused = {}}},
};

const RubyVersion* ruby_version(const RubyProgram& program) {
  const auto found = std::ranges::find_if(
      kRubyVersions, [&](const auto& v) { return v.major == program.major() && v.minor == program.minor(); });
  return found == std::end(kRubyVersions) ? nullptr : found;
}

std::optional<bpf::script_process> ruby_process(const symbols::ScriptPrograms& programs, std::uint64_t bias) {
  const RubyProgram& program = programs.ruby;
  const RubyVersion* version = ruby_version(program);
  if (!version || program.machine() == 0 || program.interpreter() == 0) return std::nullopt;
  bpf::script_process process{};
  process.language = bpf::SCRIPT_RUBY;
  process.ruby = {.machine = bias + program.machine(),
                  .names = program.names() ? bias + program.names() : 0,
                  .interpreter = bias + program.interpreter(),
                  .interpreter_bytes = program.interpreter_bytes(),
                  .layout = version->layout};
  return process;
}

std::string ruby_version_text(const symbols::ScriptPrograms& programs, std::string_view) {
  const RubyProgram& program = programs.ruby;
  const std::string text = "Ruby " + std::to_string(program.major()) + "." + std::to_string(program.minor());
  return ruby_version(program) ? text + " of an unusual build" : text;
}

// Those that Ruby has in C have no file.
std::string ruby_frame(const ScriptCode& code) {
  ScriptText name = code.name, file = code.file;
  if (name.text.empty()) return "[C function]";
  if (file.text.empty()) return frame_name(name.text);
  square_brackets(file.text);
  return script_frame(name, file, std::max(code.first_line, 1u), {});  // the whole of a file begins at 0
}

}  // namespace

const ScriptLanguage kRubyLanguage = {
    .number = bpf::SCRIPT_RUBY,
    .name = "Ruby",
    .called = "ruby",
    .interpreter = "vm_exec_core",
    .sure = false,
    .found = [](const symbols::ScriptPrograms& programs) { return programs.ruby.found(); },
    .process = ruby_process,
    .version = ruby_version_text,
    .frame = ruby_frame,
    .executes = [](const symbols::ScriptPrograms& programs,
                   std::uint64_t file_offset) { return programs.ruby.executes(file_offset); },
};

}  // namespace tailcap::capture::stacks
