#include "capture/record/reload.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/control/note.h"
#include "capture/host/clocks.h"
#include "capture/record/named_processes.h"
#include "capture/targets/chosen.h"
#include "capture/targets/running.h"
#include "formats/printable.h"
#include "ground/text.h"

namespace tailcap::capture {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array<std::string_view, 7> kCanChange{"pid",  "service", "container",         "unit",
                                                     "note", "stacks",  "sample-connections"};

std::string listed(Texts texts) {
  for (std::string& text : texts) text = formats::printable(text);
  return ground::listed(texts);
}

Texts texts_of(const targets::Pids& pids) {
  Texts out;
  for (const auto pid : pids) out.push_back(std::to_string(pid));
  return out;
}

std::string processes_text(const Texts& pids) { return (pids.size() == 1 ? "process " : "processes ") + listed(pids); }

// With the options of this command line, and the new file instead of the old one.
Options parse_again(const Texts& command_line, const std::string& config) {
  constexpr std::string_view kReady = "--ready-fd";  // it is closed now
  Texts words;
  bool named = false;
  for (std::size_t i = 0; i < command_line.size() && command_line[i] != "--"; ++i) {
    const std::string_view word = command_line[i];
    if (word == kReady) ++i;
    if (word.starts_with(kReady)) continue;
    named = named || word == "--config" || word.starts_with("--config=");
    words.emplace_back(word);
  }
  if (!named) words.insert(words.end(), {"--config", "the new configuration"});
  const auto command = std::find(command_line.begin(), command_line.end(), "--");
  words.insert(words.end(), command, command_line.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  return parse_options(static_cast<int>(argv.size()), argv.data(), &config);
}

// What one of them has, and the other has not.
template <class List>
List more(const List& one, const List& other) {
  List out;
  for (const auto& value : one)
    if (std::ranges::find(other, value) == other.end()) out.push_back(value);
  return out;
}

Texts values_of(const Written& written, const std::string& option) {
  const auto found = written.find(option);
  return found == written.end() ? Texts{} : found->second;
}

[[noreturn]] void refuse(const std::string& why) { throw UsageError("nothing was changed: " + why); }

// Before anything is applied.
void refuse_other_changes(const Options& now, const Options& asked, bool varies) {
  Texts fixed;
  const auto look = [&](const Written& one, const Written& other) {
    for (const auto& [option, values] : one) {
      if (option == "config" || option == "ready-fd") continue;
      const auto found = other.find(option);
      if (found != other.end() && found->second == values) continue;
      if (std::ranges::find(kCanChange, option) != kCanChange.end()) continue;
      if (std::ranges::find(fixed, option) == fixed.end()) fixed.push_back(option);
    }
  };
  look(now.written, asked.written);
  look(asked.written, now.written);
  const ProbeSettings &was = now.probes, &is = asked.probes;
  // Which stacks of waits there are follows from programs that are loaded; whether they are taken does not.
  if (values_of(now.written, "stacks") != values_of(asked.written, "stacks") &&
      (!was.takes_stacks() || was.has(Group::stacks) != is.has(Group::stacks) ||
       (was.all_waits != is.all_waits && was.stacks_at_once && is.stacks_at_once)))
    fixed.push_back("stacks");
  if (was.connections.of != is.connections.of && !varies) fixed.push_back("sample-connections");
  if (!fixed.empty())
    refuse(listed(fixed) + (fixed.size() == 1 ? " is" : " are") +
           " fixed while it records. `tailcap stop` ends it; then start it again.");
  if (const Texts gone = more(values_of(now.written, "note"), values_of(asked.written, "note")); !gone.empty())
    refuse("it has noted " + listed(gone) + ", and a note cannot be taken away");
}

}  // namespace

struct Reload::Change {
  Selection added;
  Texts notes;
  Texts gone;             // "service shop"
  targets::Pids removed;  // processes of these that nothing else asks for
  targets::Pids kept;     // below them, chosen for something else
  bool drops_cgroup = false;
};

Reload::Change Reload::change_to(const Options& asked) {
  const Selection &was = options_.probes.selection, &is = asked.probes.selection;
  Change out;
  out.notes = more(values_of(asked.written, "note"), values_of(options_.written, "note"));
  out.added.services = more(is.services, was.services);
  out.added.containers = more(is.containers, was.containers);
  out.added.units = more(is.units, was.units);
  out.added.pids = more(asked.given_pids, options_.given_pids);
  if (!out.added.empty() && !was.processes()) refuse("it records ports, and no processes can be added to these");
  find_processes(out.added.pids);
  Selection gone;
  gone.services = more(was.services, is.services);
  gone.containers = more(was.containers, is.containers);
  gone.units = more(was.units, is.units);
  gone.pids = more(options_.given_pids, asked.given_pids);
  std::vector<targets::Running> all;
  if (out.added.named() || !gone.empty()) all = targets::running(processes_);
  // Without a mount no cgroup is chosen: which one it is was decided at the start.
  if (out.added.named()) targets::choose(out.added, all, "");
  if (gone.empty()) return out;
  if (!probes_.untarget().possible())
    refuse(
        "with this kernel, or with --tier c, no target can be taken away (with some kernels only where targets have "
        "sockets in other network namespaces)");
  for (const auto pid : gone.pids) out.gone.push_back("process " + std::to_string(pid));
  for (const std::string& name : targets::names_in(gone)) out.gone.push_back(name);
  Selection stays = is;
  stays.pids = asked.given_pids;
  const targets::Pids wanted = targets::processes_of(stays, all, was.chosen);
  for (const auto pid : targets::processes_of(gone, all, was.chosen))
    if (!wanted.contains(pid)) out.removed.insert(pid);
  for (const auto pid : wanted)
    if (targets::is_below(pid, out.removed, all)) out.kept.insert(pid);
  const Texts names = targets::names_in(stays);
  out.drops_cgroup = !was.cgroup_names.empty() && std::ranges::none_of(was.cgroup_names, [&](const auto& name) {
    return std::ranges::find(names, name) != names.end();
  });
  return out;
}

void Reload::choose_again(std::uint32_t pid) {
  probes_.untarget().forget(pid);
  probes_.add_target(pid);
}

std::string Reload::add(Change& change) {
  Texts who;
  for (const auto pid : change.added.pids) {
    choose_again(pid);
    if (finder_) finder_->examine(pid);
    who.push_back(std::to_string(pid));
  }
  if (!who.empty()) probes_.mark_targets();
  return who.empty() ? "" : "it also records " + processes_text(who);
}

std::string Reload::take_away(const Change& change) {
  if (change.gone.empty()) return {};
  if (change.drops_cgroup) probes_.untarget().forget_cgroup();
  for (const auto pid : change.kept) choose_again(pid);
  const targets::Pids ended = probes_.untarget().remove({change.removed.begin(), change.removed.end()});
  return "it no longer records " + listed(change.gone) +
         (ended.empty() ? ", of which no process was there" : " (" + processes_text(texts_of(ended)) + ")");
}

std::string Reload::obey(const std::string& config, budget::PolicyShare* share) {
  Options asked = parse_again(options_.command_line, config);
  refuse_other_changes(options_, asked, share != nullptr);
  Change change = change_to(asked);
  const formats::Time now = monotonic_now();
  std::string said;
  const auto say = [&said](const std::string& what) {
    if (!what.empty()) said += (said.empty() ? "" : "; ") + what;
  };
  say(take_away(change));
  say(add(change));
  if (!said.empty()) session_.keyframe_again(now);
  if (options_.probes.stacks_at_once != asked.probes.stacks_at_once) {
    probes_.switch_stacks(asked.probes.stacks_at_once);
    const std::string how = asked.probes.stacks_at_once ? "on" : "off";
    session_.note(now, "tailcap.stacks", how);
    say("stacks are " + how);
  }
  if (share && options_.probes.connections.of != asked.probes.connections.of)
    say(share->ask({asked.probes.connections.of, "reload"}));
  for (const auto& text : change.notes)
    if (const auto note = parse_note(text)) session_.note(now, note->first, note->second);
  if (!change.notes.empty()) say("noted: " + listed(change.notes));
  if (said.empty()) return "nothing differs from what it records now";
  auto& chosen = asked.probes.selection.chosen = std::move(options_.probes.selection.chosen);
  for (auto& [name, pids] : change.added.chosen) chosen[name].merge(pids);
  if (!change.drops_cgroup) {
    asked.probes.selection.cgroup = options_.probes.selection.cgroup;
    asked.probes.selection.cgroup_names = options_.probes.selection.cgroup_names;
  }
  options_ = std::move(asked);
  session_.note(now, "tailcap.reload", std::to_string(++epoch_) + ": " + said);
  return said;
}

}  // namespace tailcap::capture
