#include "capture/stacks/scripts/v8.h"

#include <algorithm>
#include <string>
#include <utility>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

using symbols::V8Program;

// Those with which what V8 does not say of itself was seen: how a function keeps its name and place.
struct V8Version {
  std::int32_t major, minor;
  std::int32_t scope_variables;   // at which word a function's variables begin
  std::uint16_t scope;            // as in v8_process
  std::uint16_t script_source{};  // where V8 does not say it; 0: it does
};
constexpr V8Version kV8Versions[] = {
    {9, 4, 3, V8_NAMES_WITHIN | V8_HAS_RECEIVER, 8},
    {10, 2, 3, 0},
    {11, 3, 3, 0},
    {12, 4, 3, 0},
    {13, 6, 5, V8_PLACE_FIRST},
};

// What the kernel program takes for granted.
constexpr std::pair<V8Program::Value, std::int32_t> kV8Frame[] = {{V8Program::frame_function, -16},
                                                                  {V8Program::frame_context, -8},
                                                                  {V8Program::string_length, 12},
                                                                  {V8Program::string_characters, 16}};

const V8Version* v8_version(const V8Program& program) {
  const auto found = std::ranges::find_if(
      kV8Versions, [&](const auto& v) { return v.major == program.major() && v.minor == program.minor(); });
  return found == std::end(kV8Versions) ? nullptr : found;
}

std::optional<bpf::script_process> v8_process(const symbols::ScriptPrograms& programs, std::uint64_t) {
  const V8Program& program = programs.v8;
  const V8Version* version = v8_version(program);
  if (!version || program.value(V8Program::scope_variables) != version->scope_variables ||
      std::ranges::any_of(kV8Frame, [&](const auto& each) { return program.value(each.first) != each.second; }))
    return std::nullopt;
  bool whole = true;
  const auto narrow = [&](V8Program::Value which) {
    const auto value = program.value(which);
    whole = whole && value && std::in_range<std::uint16_t>(*value);
    return static_cast<std::uint16_t>(value.value_or(0));
  };
  bpf::script_process process{};
  process.language = bpf::SCRIPT_V8;
  process.v8 = {.map_type = narrow(V8Program::map_type),
                .function_shared = narrow(V8Program::function_shared),
                .shared_scope = narrow(V8Program::shared_scope),
                .shared_script = narrow(V8Program::shared_script),
                .script_name = narrow(V8Program::script_name),
                .script_source = version->script_source ? version->script_source : narrow(V8Program::script_source),
                .type_function = narrow(V8Program::type_function),
                .type_shared = narrow(V8Program::type_shared),
                .type_scope = narrow(V8Program::type_scope),
                .type_script = narrow(V8Program::type_script),
                .type_no_string = narrow(V8Program::type_no_string),
                .scope = version->scope};
  return whole ? std::optional(process) : std::nullopt;
}

constexpr std::string_view kModuleNames[] = {"index.js", "index.mjs", "index.cjs"};

// Node's own modules are called node:internal/timers; code from a string has no file.
std::string v8_frame(const ScriptCode& code) {
  ScriptText name = code.name, file = code.file;
  if (name.text.empty()) name.text = "{anonymous}";
  if (file.text.empty()) file.text = "{eval}";
  square_brackets(name.text);
  square_brackets(file.text);
  if (code.first_line != 0 && !file.text.starts_with("node:"))
    return script_frame(name, file, code.first_line, kModuleNames);
  const std::string line = code.first_line ? ":" + std::to_string(code.first_line) : std::string();
  return frame_name(name.text + " (" +
                    (file.text.starts_with("node:") ? file.text : file.text.substr(file.text.rfind('/') + 1)) + line +
                    ")");
}

}  // namespace

const ScriptLanguage kV8Language = {
    .number = bpf::SCRIPT_V8,
    .name = "JavaScript",
    .called = "node",
    .interpreter = "",
    .sure = false,
    .found = [](const symbols::ScriptPrograms& programs) { return programs.v8.found(); },
    .process = v8_process,
    .version =
        [](const symbols::ScriptPrograms& programs, std::string_view) {
          return "V8 " + std::to_string(programs.v8.major()) + "." + std::to_string(programs.v8.minor());
        },
    .frame = v8_frame,
};

}  // namespace tailcap::capture::stacks
