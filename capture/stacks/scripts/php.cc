#include "capture/stacks/scripts/php.h"

#include <algorithm>
#include <string>

#include "capture/stacks/scripts/frame_name.h"

namespace tailcap::capture::stacks {

namespace {

using symbols::PhpProgram;

struct PhpVersion {
  std::uint32_t api;
  std::string_view name;
  std::optional<bpf::php_layout> layout;  // none: its structures were not looked at
};
constexpr PhpVersion kPhpVersions[] = {
    {20190902, "7.4",
     bpf::php_layout{.current_frame = 488,
                     .generator_frame = 64,
                     .generator_parent = 160,
                     .fiber = 0,
                     .code_file = 136,
                     .code_first_line = 144}},
    {20200930, "8.0", {}},
    {20210902, "8.1", {}},
    {20220829, "8.2",
     bpf::php_layout{.current_frame = 488,
                     .generator_frame = 56,
                     .generator_parent = 152,
                     .fiber = 1680,
                     .code_file = 152,
                     .code_first_line = 160}},
    {20230831, "8.3", {}},
    {20240924, "8.4",
     bpf::php_layout{.current_frame = 488,
                     .generator_frame = 56,
                     .generator_parent = 152,
                     .fiber = 1752,
                     .code_file = 168,
                     .code_first_line = 176}},
};

const PhpVersion* php_version(const PhpProgram& program) {
  const auto found = std::ranges::find(kPhpVersions, program.api(), &PhpVersion::api);
  return found == std::end(kPhpVersions) ? nullptr : found;
}

std::optional<bpf::script_process> php_process(const symbols::ScriptPrograms& programs, std::uint64_t bias) {
  const PhpProgram& program = programs.php;
  const PhpVersion* version = php_version(program);
  if (!version || !version->layout || program.globals() == 0 || program.threads() || program.debug())
    return std::nullopt;
  bpf::script_process process{};
  process.language = bpf::SCRIPT_PHP;
  process.php = {bias + program.globals(), *version->layout, 0};
  return process;
}

// "PHP 8.3"; builds with threads and for debugging keep their structures elsewhere.
std::string php_version_text(const symbols::ScriptPrograms& programs, std::string_view) {
  const PhpVersion* version = php_version(programs.php);
  std::string text = version ? "PHP " + std::string(version->name)
                             : "PHP" + (programs.php.api() ? " API " + std::to_string(programs.php.api()) : "");
  if (programs.php.threads()) text += " with threads";
  if (programs.php.debug()) text += " built for debugging";
  return text;
}

// Code that a file has as a string is called "FILE(12) : eval()'d code", once for each such string inside another.
void shorten_evaluated(std::string& file) {
  constexpr std::string_view kEvaluated = " : eval()'d code";
  for (auto at = file.find(kEvaluated); at != file.npos; at = file.find(kEvaluated))
    file.replace(at, kEvaluated.size(), " eval");
  square_brackets(file);
}

constexpr std::string_view kIndexFiles[] = {"index.php"};

std::string php_frame(const ScriptCode& code) {
  ScriptText name = code.name, file = code.file;
  if (name.text.empty()) name.text = "{main}";  // what a file has outside of functions
  // PHP 8.4 has the place in the name: "{closure:/srv/cart.php:14}", "{closure:Cart::show():14}".
  if (name.text.starts_with("{closure:")) name = {"{closure}", false};
  if (!code.scope.text.empty()) name.text = code.scope.text + "::" + name.text;
  name.cut = name.cut || code.scope.cut;
  if (file.text.empty()) return frame_name(name.text);
  shorten_evaluated(file.text);
  return script_frame(name, file, code.first_line, kIndexFiles);
}

}  // namespace

const ScriptLanguage kPhpLanguage = {
    .number = bpf::SCRIPT_PHP,
    .name = "PHP",
    .called = "php",
    .interpreter = "execute_ex",
    .sure = false,
    .found = [](const symbols::ScriptPrograms& programs) { return programs.php.found(); },
    .process = php_process,
    .version = php_version_text,
    .frame = php_frame,
};

}  // namespace tailcap::capture::stacks
