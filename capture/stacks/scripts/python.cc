#include "capture/stacks/scripts/python.h"

#include <algorithm>
#include <initializer_list>

namespace tailcap::capture::stacks {

namespace {

using symbols::PythonProgram;

// Versions are those of PY_VERSION_HEX without the last two places: the structures stay within a minor version.
struct Row {
  std::uint32_t version;
  bpf::python_layout layout;
};
constexpr bpf::python_layout kBefore311 = {.holder = 568,
                                           .runtime_interpreters = 32,
                                           .interpreter_next = 0,
                                           .interpreter_threads = 8,
                                           .thread_next = 8,
                                           .thread_id = 176,
                                           .thread_frames = 24,
                                           .current_frame = 0,
                                           .frame_code = 32,
                                           .frame_previous = 24,
                                           .frame_entry = 0,
                                           .frame_instruction = 104,
                                           .code_first_line = 40,
                                           .code_constants = 56,
                                           .code_names = 64,
                                           .code_file = 104,
                                           .code_name = 112,
                                           .code_lines = 120,
                                           .code_begin = 48,
                                           .text_ascii = 48,
                                           .text_other = 72,
                                           .ways = PYTHON_FRAME_IN_THREAD | PYTHON_ENTRY_ALWAYS | PYTHON_CODE_APART,
                                           .unused = {}};
constexpr bpf::python_layout kOf38 = [] {
  bpf::python_layout layout = kBefore311;
  layout.holder = 1368;
  return layout;
}();
constexpr bpf::python_layout kOf310 = [] {
  bpf::python_layout layout = kBefore311;
  layout.frame_instruction = 96;
  layout.ways |= PYTHON_CODE_IN_UNITS;
  return layout;
}();
constexpr bpf::python_layout kOf312 = {.holder = 1048,
                                       .runtime_interpreters = 40,
                                       .interpreter_next = 0,
                                       .interpreter_threads = 72,
                                       .thread_next = 8,
                                       .thread_id = 136,
                                       .thread_frames = 56,
                                       .current_frame = 0,
                                       .frame_code = 0,
                                       .frame_previous = 8,
                                       .frame_entry = 70,
                                       .frame_instruction = 56,
                                       .code_first_line = 68,
                                       .code_constants = 24,
                                       .code_names = 32,
                                       .code_file = 112,
                                       .code_name = 128,
                                       .code_lines = 136,
                                       .code_begin = 192,
                                       .text_ascii = 40,
                                       .text_other = 56,
                                       .ways = PYTHON_HOLDER_IN_INTERPRETER | PYTHON_ENTRY_BELOW,
                                       .unused = {}};
// 3.13 says itself where its fields are; these are those about which it says nothing, and those of its first release.
constexpr std::uint32_t kSaysItself = 0x030d;
constexpr bpf::python_layout kOf313 = [] {
  bpf::python_layout layout = kOf312;
  layout.holder = 7760;
  layout.runtime_interpreters = 632;
  layout.interpreter_next = 7264;
  layout.interpreter_threads = 7344;
  layout.thread_id = 152;
  layout.thread_frames = 72;
  layout.code_begin = 200;
  layout.ways |= PYTHON_FRAME_IN_THREAD;
  return layout;
}();
constexpr Row kLayouts[] = {
    {0x0308, kOf38},
    {0x0309, kBefore311},
    {0x030a, kOf310},
    {0x030b,
     {.holder = 576,
      .runtime_interpreters = 40,
      .interpreter_next = 0,
      .interpreter_threads = 16,
      .thread_next = 8,
      .thread_id = 152,
      .thread_frames = 56,
      .current_frame = 8,
      .frame_code = 32,
      .frame_previous = 48,
      .frame_entry = 68,
      .frame_instruction = 56,
      .code_first_line = 72,
      .code_constants = 24,
      .code_names = 32,
      .code_file = 112,
      .code_name = 128,
      .code_lines = 136,
      .code_begin = 184,
      .text_ascii = 48,
      .text_other = 72,
      .ways = 0,
      .unused = {}}},
    {0x030c, kOf312},
    {kSaysItself, kOf313},
};

// Releases have 0xf there; structures of alphas and betas differ.
bool released(std::uint32_t version) { return (version >> 4 & 0xf) == 0xf; }

// What the kernel program reads at once of a frame, and of a code object.
constexpr std::uint64_t kFrameBytes = 80, kCodeBytes = 144;

bool word_within(std::uint64_t offset, std::uint64_t size) { return offset % 8 == 0 && offset <= size - 8; }

// False: it says something that the kernel program cannot read, as builds without the global lock do.
bool take_own(const symbols::PythonOffsets& own, bpf::python_layout& layout) {
  const auto far = {own.runtime_interpreters, own.interpreter_next, own.interpreter_threads, own.interpreter_holder,
                    own.thread_next,          own.thread_id,        own.thread_frame,        own.code_begin};
  const auto in_frame = {own.frame_code, own.frame_previous, own.frame_instruction};
  const auto in_code = {own.code_file, own.code_name, own.code_lines};
  const bool fits =
      std::all_of(far.begin(), far.end(), [](auto at) { return word_within(at, UINT16_MAX); }) &&
      std::all_of(in_frame.begin(), in_frame.end(), [](auto at) { return word_within(at, kFrameBytes); }) &&
      std::all_of(in_code.begin(), in_code.end(), [](auto at) { return word_within(at, kCodeBytes); }) &&
      own.frame_owner < kFrameBytes && own.code_first_line % 4 == 0 && own.code_first_line < kCodeBytes &&
      own.object_type == 8 && own.text_length == 16 && own.text_state == 32 && own.text_ascii == layout.text_ascii;
  if (!fits) return false;
  const auto narrow = [](std::uint64_t at) { return static_cast<std::uint16_t>(at); };
  layout.holder = narrow(own.interpreter_holder);
  layout.runtime_interpreters = narrow(own.runtime_interpreters);
  layout.interpreter_next = narrow(own.interpreter_next);
  layout.interpreter_threads = narrow(own.interpreter_threads);
  layout.thread_next = narrow(own.thread_next);
  layout.thread_id = narrow(own.thread_id);
  layout.thread_frames = narrow(own.thread_frame);
  layout.frame_code = narrow(own.frame_code);
  layout.frame_previous = narrow(own.frame_previous);
  layout.frame_entry = narrow(own.frame_owner);
  layout.code_first_line = narrow(own.code_first_line);
  layout.code_file = narrow(own.code_file);
  layout.code_name = narrow(own.code_name);
  layout.code_lines = narrow(own.code_lines);
  layout.frame_instruction = narrow(own.frame_instruction);
  layout.code_begin = narrow(own.code_begin);
  return true;
}

}  // namespace

std::optional<bpf::python_layout> python_layout(const PythonProgram& program) {
  const std::uint32_t version = program.version() >> 16;
  const auto row =
      std::find_if(std::begin(kLayouts), std::end(kLayouts), [&](const Row& r) { return r.version == version; });
  if (row == std::end(kLayouts) || !released(program.version())) return std::nullopt;
  bpf::python_layout layout = row->layout;
  if (version == kSaysItself && (!program.offsets() || !take_own(*program.offsets(), layout))) return std::nullopt;
  return layout;
}

std::string python_version(const PythonProgram& program, std::string_view file) {
  std::string text = "Python";
  if (program.version() != 0) {
    text += " " + std::to_string(program.version() >> 24) + "." + std::to_string(program.version() >> 16 & 0xff);
    if (!released(program.version())) return text + " before its release";
    return program.version() >> 16 == kSaysItself && !program.offsets() ? text + " of an unusual build" : text;
  }
  constexpr std::string_view kBefore = "python";
  const auto at = file.find(kBefore);
  if (at == file.npos) return text;
  const std::string_view rest = file.substr(at + kBefore.size());
  const auto end = rest.find_first_not_of("0123456789", rest.starts_with("3.") ? 2 : 0);
  const std::string_view number = rest.substr(0, end);
  return number.empty() ? text : text + " " + std::string(number);
}

namespace {

std::optional<bpf::script_process> python_process(const symbols::ScriptPrograms& programs, std::uint64_t bias) {
  const PythonProgram& program = programs.python;
  const auto layout = python_layout(program);
  if (!layout || program.code_type() == 0 || program.text_type() == 0) return std::nullopt;
  bpf::script_process process{};
  process.language = bpf::SCRIPT_PYTHON;
  process.python = {bias + program.runtime(), bias + program.code_type(), bias + program.text_type(), *layout};
  return process;
}

// With this code the interpreter of 3.12 and 3.13 calls __init__; Python's own stacks leave it out, too.
bool interpreters_own(const ScriptCode& code) {
  return code.first_line == 0 && code.name.text == "__init__" && code.file.text == "__init__";
}

constexpr std::string_view kModuleFiles[] = {"__init__.py", "__main__.py"};

}  // namespace

const ScriptLanguage kPythonLanguage = {
    .number = bpf::SCRIPT_PYTHON,
    .name = "Python",
    .called = "python",
    .interpreter = "_PyEval_EvalFrameDefault",
    .sure = true,
    .found = [](const symbols::ScriptPrograms& programs) { return programs.python.found(); },
    .process = python_process,
    .version = [](const symbols::ScriptPrograms& programs,
                  std::string_view file) { return python_version(programs.python, file); },
    .frame =
        [](const ScriptCode& code) {
          return interpreters_own(code) ? std::string()
                                        : script_frame(code.name, code.file, code.first_line, kModuleFiles);
        },
    .line = [](const ScriptText& file, std::uint32_t line) { return script_line(file, line, kModuleFiles); },
};

}  // namespace tailcap::capture::stacks
