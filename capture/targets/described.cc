#include "capture/targets/described.h"

#include <utility>

#include "capture/mask/command_line.h"
#include "capture/targets/service_name.h"

namespace tailcap::capture::targets {

namespace {

constexpr int kLevels = 16;  // of ancestors, as below_chosen (bpf/net/list.bpf.c)

ServiceName named(const scan::ProcessTexts::Answer& answer, const ProcessFacts& facts) {
  ServiceName name = service_name({answer.text.executable, answer.text.arguments, facts.comm});
  // An interpreter of which the arguments say nothing, and that has not named itself.
  if (name.text.empty() && !name.as_parent && is_interpreter(facts.comm)) name.text = unit_of(facts.cgroup);
  return name;
}

}  // namespace

std::string name_of(const scan::ProcessTexts::Answer& answer, const ProcessFacts& facts) {
  return answer.text.executable.empty() ? std::string() : named(answer, facts).text;
}

void Described::remember(const scan::ProcessTexts::Answer& answer, const ProcessFacts& facts) {
  if (answer.text.executable.empty()) return;
  Shown& shown = shown_[answer.question.pid];
  shown.parent = facts.parent_pid;
  if (answer.silent && shown.executable == answer.text.executable) return;  // its arguments were known
  shown.executable = answer.text.executable;
  std::string line = answer.text.command_line();
  ServiceName name = named(answer, facts);
  shown.service = std::move(name.text);
  shown.as_parent = name.as_parent;
  shown.command_line = keep_arguments_ ? std::move(line) : std::string(mask::program_of(line));
}

void Described::keep(const std::unordered_set<std::uint32_t>& pids) {
  std::erase_if(shown_, [&](const auto& known) { return !pids.contains(known.first); });
}

const Described::Shown* Described::find(std::uint32_t pid) const {
  const auto at = shown_.find(pid);
  return at == shown_.end() ? nullptr : &at->second;
}

std::string Described::service(std::uint32_t pid) const {
  const Shown* const own = find(pid);
  std::string name = own ? own->service : std::string();
  bool as_parent = own && own->as_parent;
  const Shown* at = own;
  for (int level = 0; level < kLevels; ++level) {
    if (const auto given = names_.find(pid);
        given != names_.end() && (at == own || (own && at && at->executable == own->executable)))
      return given->second;
    if (!at || at->parent == 0 || at->parent == pid) break;
    pid = at->parent;
    at = find(pid);
    if (!at || !as_parent) continue;
    name = at->service;
    as_parent = at->as_parent;
  }
  return name;
}

}  // namespace tailcap::capture::targets
