#include "analyze/views/compare/software.h"

#include <algorithm>
#include <string_view>
#include <variant>

#include "ground/text.h"

namespace tailcap::views {
namespace {

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// What is before the next `end`; it is taken from the front of text.
std::string_view take(std::string_view& text, char end) {
  const std::string_view part = text.substr(0, text.find(end));
  text.remove_prefix(std::min(part.size() + 1, text.size()));
  return part;
}

}  // namespace

model::gate::GoProgram go_program_of(std::string_view lines, std::string_view file, std::string& name) {
  constexpr std::string_view kOfFiles = "command-line-arguments";  // built of files that were named
  model::gate::GoProgram out;
  name = file_name(file);
  std::string module;
  bool modified = false;
  while (!lines.empty()) {
    std::string_view line = take(lines, '\n');
    const std::string_view word = take(line, '\t');
    if (word == "path" && !line.empty() && line != kOfFiles) name = line;
    if (word == "mod" || word == "dep") {
      module = take(line, '\t');
      out.modules[module] = take(line, '\t');
    }
    if (word == "=>" && !module.empty()) {
      std::string& version = out.modules[module];
      version += " => " + std::string(take(line, '\t'));
      if (const std::string_view its = take(line, '\t'); !its.empty()) version += " " + std::string(its);
      module.clear();
    }
    if (word != "build") continue;
    const std::string_view key = take(line, '=');
    if (key == "vcs.revision") out.revision = line;
    if (key == "vcs.modified") modified = line == "true";
  }
  if (modified && !out.revision.empty()) out.revision += " modified";
  return out;
}

void SoftwareReader::push(const formats::Mapping& mapping) {
  if (mapping.build_id.empty() || build_ids_ >= kMost) return;
  build_ids_ +=
      software_.build_ids[std::string(file_name(mapping.path))].insert(ground::hex_text(mapping.build_id)).second;
}

void SoftwareReader::push(const formats::Event& event) {
  if (const auto* mapping = std::get_if<formats::Mapping>(&event.body)) push(*mapping);
  if (const auto* program = std::get_if<formats::GoProgram>(&event.body);
      program && (versions_.size() < kMost || versions_.contains(event.thread.pid)))
    versions_[event.thread.pid] = program->version;
  const auto* build = std::get_if<formats::GoBuild>(&event.body);
  if (!build || programs_ >= kMost) return;
  std::string name;
  model::gate::GoProgram program = go_program_of(build->lines, build->path, name);
  const auto version = versions_.find(event.thread.pid);
  if (version != versions_.end()) program.version = version->second;
  auto& known = software_.go[name];
  if (std::find(known.begin(), known.end(), program) != known.end()) return;
  known.push_back(std::move(program));
  ++programs_;
}

}  // namespace tailcap::views
