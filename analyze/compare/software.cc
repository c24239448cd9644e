#include "analyze/compare/software.h"

#include <functional>
#include <map>
#include <set>
#include <string>

#include "formats/event.h"

namespace tailcap::compare {
namespace {

using model::gate::GoProgram;
using model::gate::Run;
using model::gate::SoftwareChange;

using Values = std::set<std::string>;
using Programs = std::map<std::string, std::vector<GoProgram>>;

Programs programs_of(std::span<const Run> runs) {
  Programs out;
  for (const Run& run : runs)
    for (const auto& [name, builds] : run.software.go) {
      auto& all = out[name];
      all.insert(all.end(), builds.begin(), builds.end());
    }
  return out;
}

std::map<std::string, Values> build_ids_of(std::span<const Run> runs) {
  std::map<std::string, Values> out;
  for (const Run& run : runs)
    for (const auto& [file, ids] : run.software.build_ids) out[file].insert(ids.begin(), ids.end());
  return out;
}

Values values_of(const std::vector<GoProgram>& builds, const std::function<std::string(const GoProgram&)>& of) {
  Values out;
  for (const GoProgram& build : builds) out.insert(of(build));
  out.erase("");
  return out;
}

class Changes {
 public:
  void add(SoftwareChange::Kind kind, const std::string& program, const std::string& module, const Values& base,
           const Values& fresh) {
    if (base != fresh) out.push_back({kind, program, module, {base.begin(), base.end()}, {fresh.begin(), fresh.end()}});
  }

  void add_program(const std::string& name, const std::vector<GoProgram>& base, const std::vector<GoProgram>& fresh) {
    using Kind = SoftwareChange::Kind;
    for (const auto& [kind, field] :
         {std::pair{Kind::revision, &GoProgram::revision}, {Kind::go_version, &GoProgram::version}}) {
      const auto of = [field = field](const GoProgram& build) { return build.*field; };
      const Values b = values_of(base, of), n = values_of(fresh, of);
      if (!b.empty() && !n.empty()) add(kind, name, "", b, n);
    }
    Values modules;
    for (const auto* side : {&base, &fresh})
      for (const GoProgram& build : *side) {
        if (build.modules.empty()) return;  // built without modules: from which sources is not known
        for (const auto& [module, version] : build.modules) modules.insert(module);
      }
    for (const std::string& module : modules) {
      const auto of = [&](const GoProgram& build) {
        const auto at = build.modules.find(module);
        return at == build.modules.end() ? "" : at->second.empty() ? "(no version)" : at->second;
      };
      add(Kind::module, name, module, values_of(base, of), values_of(fresh, of));
    }
  }

  std::vector<SoftwareChange> out;
};

}  // namespace

std::vector<SoftwareChange> software_changes(std::span<const Run> base, std::span<const Run> fresh) {
  Changes changes;
  const Programs old_programs = programs_of(base), new_programs = programs_of(fresh);
  // The only one of each side is the same program, whatever its name.
  if (old_programs.size() == 1 && new_programs.size() == 1)
    changes.add_program(new_programs.begin()->first, old_programs.begin()->second, new_programs.begin()->second);
  else
    for (const auto& [name, builds] : old_programs)
      if (const auto same = new_programs.find(name); same != new_programs.end())
        changes.add_program(name, builds, same->second);
  const auto old_ids = build_ids_of(base), new_ids = build_ids_of(fresh);
  for (const auto& [file, ids] : old_ids)
    if (const auto same = new_ids.find(file); same != new_ids.end())
      changes.add(SoftwareChange::Kind::build_id, file, "", ids, same->second);
  return std::move(changes.out);
}

}  // namespace tailcap::compare
