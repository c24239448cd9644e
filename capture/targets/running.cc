#include "capture/targets/running.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <stdexcept>
#include <system_error>
#include <unordered_map>
#include <unordered_set>

#include "bpf/event.h"
#include "capture/host/pods.h"
#include "capture/host/quota.h"
#include "capture/host/system_file.h"
#include "capture/scan/proc.h"
#include "capture/scan/process_texts.h"
#include "capture/targets/chosen.h"
#include "capture/targets/service_name.h"
#include "formats/event.h"
#include "formats/nearest.h"
#include "formats/printable.h"
#include "ground/container_path.h"

namespace tailcap::capture::targets {

namespace {

constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::size_t kShortId = 12;  // digits by which people name containers
constexpr std::size_t kNamed = 4;     // processes, or services, in a sentence

// The first word of "gunicorn app:app".
std::string_view program_in(std::string_view service) { return service.substr(0, service.find(' ')); }

// "server" of "server.js".
std::string_view without_ending(std::string_view script) {
  const std::size_t dot = script.rfind('.');
  return dot == script.npos || dot == 0 ? script : script.substr(0, dot);
}

std::string_view called(const Running& one) {
  return one.service.empty() ? std::string_view(one.comm) : std::string_view(one.service);
}

// The cgroup's path down to the part that names the unit or container.
std::string cgroup_down_to(const std::string& path, auto&& named) {
  for (std::size_t end = path.size(); end > 0 && end != path.npos; end = path.rfind('/', end - 1)) {
    const std::string part = path.substr(0, end);
    const std::string_view last = last_part(part);
    if (named(last)) return part;
  }
  return {};
}

std::string numbers(const std::vector<std::uint32_t>& pids) {
  std::string text;
  for (std::size_t i = 0; i < pids.size() && i < kNamed; ++i) text += (i == 0 ? "" : ", ") + std::to_string(pids[i]);
  if (pids.size() > kNamed) text += " and " + std::to_string(pids.size() - kNamed) + " more";
  return text;
}

}  // namespace

std::vector<Running> running(const scan::Processes& processes) {
  scan::ProcessTexts texts(processes);
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.find_first_not_of("0123456789") != name.npos) continue;
    texts.ask({static_cast<std::uint32_t>(std::stoul(name)), true, 0});
  }
  texts.wait(kPatience, true);
  std::vector<Running> all;
  std::unordered_map<std::string, std::vector<std::string>> containers;
  const auto own = processes.pids();
  std::set<std::uint32_t> as_parents;
  for (const auto& answer : texts.take()) {
    const std::uint32_t pid = answer.question.pid;
    const ProcessFacts facts = process_facts(pid);
    if (answer.text.executable.empty() || facts.parent_pid == own[0] || facts.parent_pid == own[1] || pid == own[0] ||
        pid == own[1])
      continue;
    Running& one = all.emplace_back();
    one.pid = pid;
    one.parent = facts.parent_pid;
    one.comm = facts.comm;
    one.executable = answer.text.executable;
    const ServiceName name = service_name({answer.text.executable, answer.text.arguments, facts.comm});
    one.service = name.text;
    if (name.as_parent) as_parents.insert(pid);
    one.unit = unit_of(facts.cgroup);
    one.container = ground::container_of(facts.cgroup).id;
    if (!one.container.empty()) {
      const auto [known, fresh] = containers.try_emplace(one.container);
      if (fresh) known->second = container_names("", one.container);
      one.containers = known->second;
    }
    one.unified = parse_cgroup_paths(read_system_file("/proc/" + std::to_string(pid) + "/cgroup", 4096)).unified;
  }
  std::sort(all.begin(), all.end(), [](const Running& a, const Running& b) { return a.pid < b.pid; });
  for (Running& one : all) {
    if (!as_parents.contains(one.pid)) continue;
    const auto parent = std::find_if(all.begin(), all.end(), [&](const Running& p) { return p.pid == one.parent; });
    if (parent != all.end()) one.service = parent->service;
  }
  return all;
}

bool means_container(std::string_view name, const Running& one) {
  if (one.container.empty() || name.empty()) return false;
  if (name.size() >= kShortId && one.container.starts_with(name)) return true;
  return std::find(one.containers.begin(), one.containers.end(), name) != one.containers.end();
}

bool means_unit(std::string_view name, const Running& one) {
  constexpr std::string_view kEnding = ".service";
  if (name.ends_with(kEnding)) name.remove_suffix(kEnding.size());
  return !name.empty() && one.unit == name;
}

bool means_service(std::string_view name, const Running& one) {
  if (name.empty()) return false;
  if (means_container(name, one) || means_unit(name, one)) return true;
  if (!one.service.empty() &&
      (one.service == name || program_in(one.service) == name || without_ending(program_in(one.service)) == name))
    return true;
  return one.executable == name || last_part(one.executable) == name || one.comm == name.substr(0, COMM_SIZE - 1);
}

std::string found_instead(std::string_view name, std::span<const Running> all) {
  // By what the user has to give: who runs it, and as which processes.
  std::map<std::string, std::pair<std::string, std::vector<std::uint32_t>>> like;
  for (const Running& one : all) {
    if (!means_service(name, one)) continue;
    auto& [runs, pids] = like[std::string(name)];
    if (runs.empty())
      runs = one.service.empty() ? (means_container(name, one) ? "a container" : "a program")
                                 : std::string(last_part(one.executable));
    pids.push_back(one.pid);
  }
  if (!like.empty()) {
    const auto& [given, what] = *like.begin();
    return "; " + formats::printable(what.first) + " runs " + formats::printable(given) + " as " +
           numbers(what.second) + ": --service " + formats::printable(given);
  }
  std::vector<std::string_view> names;
  for (const Running& one : all) {
    names.push_back(program_in(called(one)));
    names.push_back(last_part(one.executable));
    if (!one.unit.empty()) names.push_back(one.unit);
    for (const std::string& container : one.containers) names.push_back(container);
  }
  const std::string_view near = formats::nearest(name, names);
  if (!near.empty()) return "; there is " + formats::printable(near) + ": --service " + formats::printable(near);
  std::set<std::string> services;
  for (const Running& one : all)
    if (!one.service.empty()) services.insert(std::string(program_in(one.service)));
  if (services.empty()) return {};
  std::string text;
  std::size_t told = 0;
  for (const std::string& service : services) {
    if (told++ == kNamed) break;
    text += (text.empty() ? "" : ", ") + formats::printable(service);
  }
  return "; interpreters run " + text + (services.size() > kNamed ? ", …" : "");
}

void choose(Selection& selection, std::span<const Running> all, const std::string& mount) {
  struct Kind {
    const std::vector<std::string>& names;
    bool (*means)(std::string_view, const Running&);
    const char* what;
  };
  const Kind kinds[] = {{selection.services, means_service, "service"},
                        {selection.containers, means_container, "container"},
                        {selection.units, means_unit, "unit"}};
  selection.chosen = chosen_by_names(selection, all);
  std::unordered_set<std::uint32_t> chosen;
  std::set<std::string> cgroups;
  bool only_cgroups = true;
  for (const Kind& kind : kinds) {
    for (const std::string& name : kind.names) {
      bool any = false;
      for (const Running& one : all) {
        if (!kind.means(name, one)) continue;
        any = true;
        chosen.insert(one.pid);
        std::string cgroup;
        if (means_unit(name, one))
          cgroup = cgroup_down_to(one.unified, [&](std::string_view part) { return part == one.unit + ".service"; });
        else if (means_container(name, one))
          cgroup =
              cgroup_down_to(one.unified, [&](std::string_view part) { return part.find(one.container) != part.npos; });
        if (cgroup.empty())
          only_cgroups = false;
        else
          cgroups.insert(std::move(cgroup));
      }
      if (!any)
        throw std::runtime_error("no process is of the " + std::string(kind.what) + " " + formats::printable(name) +
                                 found_instead(name, all));
    }
  }
  if (!mount.empty() && selection.cgroup.empty() && only_cgroups && cgroups.size() == 1) {
    std::error_code error;
    const std::string folder = mount + *cgroups.begin();
    if (std::filesystem::is_directory(folder, error)) {
      selection.cgroup = folder;
      for (const Kind& kind : kinds)
        for (const std::string& name : kind.names)
          selection.cgroup_names.push_back(std::string(kind.what) + " " + name);
      return;
    }
  }
  for (const Running& one : all)
    if (chosen.contains(one.pid) && !chosen.contains(one.parent)) selection.pids.push_back(one.pid);
}

std::vector<std::string> doubts_of_names(const Selection& selection, std::span<const Running> all) {
  std::vector<std::string> out;
  for (const std::string& name : selection.comms) {
    const bool any = std::any_of(all.begin(), all.end(),
                                 [&](const Running& one) { return one.comm == name.substr(0, COMM_SIZE - 1); });
    if (!any) out.push_back("no process is called " + formats::printable(name) + " now" + found_instead(name, all));
  }
  return out;
}

}  // namespace tailcap::capture::targets
