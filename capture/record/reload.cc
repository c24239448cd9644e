#include "capture/record/reload.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "capture/control/note.h"
#include "capture/host/clocks.h"
#include "capture/record/named_processes.h"
#include "capture/targets/running.h"
#include "formats/printable.h"
#include "ground/text.h"

namespace tailcap::capture {
namespace {

using Texts = std::vector<std::string>;

constexpr std::array<std::string_view, 5> kCanGrow{"pid", "service", "container", "unit", "note"};

std::string listed(Texts texts) {
  for (std::string& text : texts) text = formats::printable(text);
  return ground::listed(texts);
}

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
Texts more(const Written& one, const Written& other, const std::string& option) {
  const auto has = one.find(option), had = other.find(option);
  Texts out;
  if (has == one.end()) return out;
  for (const auto& value : has->second)
    if (had == other.end() || std::find(had->second.begin(), had->second.end(), value) == had->second.end())
      out.push_back(value);
  return out;
}

void refuse_other_changes(const Written& now, const Written& asked) {
  Texts fixed;
  const auto look = [&](const Written& one, const Written& other) {
    for (const auto& [option, values] : one) {
      if (option == "config" || option == "ready-fd") continue;
      const auto found = other.find(option);
      if (found != other.end() && found->second == values) continue;
      if (std::find(kCanGrow.begin(), kCanGrow.end(), option) != kCanGrow.end()) continue;
      if (std::find(fixed.begin(), fixed.end(), option) == fixed.end()) fixed.push_back(option);
    }
  };
  look(now, asked);
  look(asked, now);
  if (!fixed.empty())
    throw UsageError("nothing was changed: " + listed(fixed) + (fixed.size() == 1 ? " is" : " are") +
                     " fixed while it records. `tailcap stop` ends it; then start it again.");
  for (const auto option : kCanGrow)
    if (const Texts gone = more(now, asked, std::string(option)); !gone.empty())
      throw UsageError("nothing was changed: it records " + std::string(option) + " " + listed(gone) +
                       ", and a target or note can only be added while it records");
}

}  // namespace

std::string Reload::obey(const std::string& config) {
  Options asked = parse_again(options_.command_line, config);
  refuse_other_changes(options_.written, asked.written);
  Selection added;
  added.services = more(asked.written, options_.written, "service");
  added.containers = more(asked.written, options_.written, "container");
  added.units = more(asked.written, options_.written, "unit");
  for (const auto pid : asked.probes.selection.pids)
    if (std::ranges::count(options_.given_pids, pid) == 0) added.pids.push_back(pid);
  const Texts notes = more(asked.written, options_.written, "note");
  if (added.empty() && notes.empty()) return "nothing differs from what it records now";
  if (!added.empty() && !options_.probes.selection.processes())
    throw UsageError("nothing was changed: it records ports, and no processes can be added to these");
  find_processes(added.pids);
  // Without a mount no cgroup is chosen: which one it is was decided at the start.
  if (added.named()) targets::choose(added, targets::running(processes_), "");
  Texts who;
  for (const auto pid : added.pids) {
    probes_.add_target(pid);
    if (finder_) finder_->examine(pid);
    who.push_back(std::to_string(pid));
  }
  if (!added.pids.empty()) probes_.mark_targets();
  const formats::Time now = monotonic_now();
  if (!added.pids.empty()) session_.keyframe_again(now);
  for (const auto& text : notes)
    if (const auto note = parse_note(text)) session_.note(now, note->first, note->second);
  const std::string said =
      (who.empty() ? std::string()
                   : (who.size() == 1 ? "it also records process " : "it also records processes ") + listed(who)) +
      (who.empty() || notes.empty() ? "" : "; ") + (notes.empty() ? "" : "noted: " + listed(notes));
  options_ = std::move(asked);
  session_.note(now, "tailcap.reload", std::to_string(++epoch_) + ": " + said);
  return said;
}

}  // namespace tailcap::capture
