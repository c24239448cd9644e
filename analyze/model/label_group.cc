#include "analyze/model/label_group.h"

#include <array>

namespace tailcap::model {
namespace {

struct GroupEntry {
  std::string_view name, text, colour;
};

// Lightness differs between neighbours of the list, so that a print in grey can still be read.
constexpr std::array<GroupEntry, kLabelGroups> kGroupEntries = {{
    {"cpu", "on CPU", "#009e73"},
    {"scheduler", "no CPU: waiting for one, throttled, stopped", "#d55e00"},
    {"go_runtime", "held up by its runtime", "#5fd3c6"},
    {"lock", "waiting for a lock", "#b8327f"},
    {"downstream", "another service", "#0072b2"},
    {"peer", "the client, and the way to it", "#7cc4f0"},
    {"queue", "behind other requests", "#5d3a9b"},
    {"io", "files and disk", "#e69f00"},
    {"memory", "memory: page faults, reclaim", "#7a4a2b"},
    {"sleep", "sleeping", "#efe24a"},
    {"causeless", "blocked, reason unknown", "#8a8f94"},
    {"unexplained", "not explained", "#cfd4d9"},
}};

const GroupEntry& group_entry(LabelGroup group) { return kGroupEntries[static_cast<std::size_t>(group)]; }

}  // namespace

LabelGroup group_of(Label label) {
  if (unexplained(label)) return LabelGroup::unexplained;
  if (causeless(label)) return LabelGroup::causeless;
  const std::string_view name = name_of(label);
  const auto is = [&](std::string_view prefix) { return name.substr(0, prefix.size()) == prefix; };
  if (label == Label::cpu_stolen) return LabelGroup::scheduler;
  if (is("cpu")) return LabelGroup::cpu;
  if (is("sched.")) return LabelGroup::scheduler;
  if (is("go.") || is("runtime.")) return LabelGroup::go_runtime;
  if (is("lock.")) return LabelGroup::lock;
  if (is("down.")) return LabelGroup::downstream;
  if (is("net.") || is("send.")) return LabelGroup::peer;
  if (is("q.")) return LabelGroup::queue;
  if (is("io.")) return LabelGroup::io;
  if (is("mem.")) return LabelGroup::memory;
  return is("timer.") ? LabelGroup::sleep : LabelGroup::causeless;
}

std::string_view name_of(LabelGroup group) { return group_entry(group).name; }
std::string_view text_of(LabelGroup group) { return group_entry(group).text; }
std::string_view colour_of(LabelGroup group) { return group_entry(group).colour; }

}  // namespace tailcap::model
