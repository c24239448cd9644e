#include "analyze/node/processes.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/thread_event.h"

namespace tailcap::node {

using formats::Duration;

void ProcessTurnover::push(const formats::Event& event, const ProcessNames& names) {
  const std::uint32_t pid = event.thread.pid;
  if (pid == 0 || pid != event.thread.tid) return;
  if (const auto* start = std::get_if<formats::TaskStart>(&event.body)) {
    ++started_;
    alive_.erase(pid);  // the number is used again
    if (alive_.size() < kMaxAlive) alive_[pid] = {event.time, start->parent.pid, std::string(start->comm), false};
  } else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body)) {
    const auto at = alive_.find(pid);
    if (at == alive_.end()) return;
    at->second.command = exec->filename.empty() ? exec->comm : exec->filename;
    at->second.executed = true;
  } else if (const auto* exit = std::get_if<formats::TaskExit>(&event.body)) {
    ended(event, exit->code, names);
  }
}

void ProcessTurnover::ended(const formats::Event& event, std::int32_t code, const ProcessNames& names) {
  ++ended_;
  const auto at = alive_.find(event.thread.pid);
  if (at == alive_.end()) return;
  const Alive process = std::move(at->second);
  alive_.erase(at);
  const Duration life = event.time - process.began;
  if (life < Duration{} || life >= model::NodeStudy::kShort) return;
  std::pair<std::string, std::uint32_t> key(process.command, process.parent);
  if (groups_.size() >= kMaxGroups && !groups_.contains(key)) key = {"others", 0};
  model::ShortLived& group = groups_[key];
  group.command = key.first;
  group.parent = key.second;
  group.executed = process.executed;
  if (const std::string& name = names.of(key.second); !name.empty()) group.parent_name = name;
  group.least = group.count == 0 ? life : std::min(group.least, life);
  group.most = std::max(group.most, life);
  group.sum += life;
  ++group.count;
  if (code != 0) ++group.failed;
}

void ProcessTurnover::fill(model::NodeStudy& study) const {
  study.started = started_;
  study.ended = ended_;
  for (const auto& [key, group] : groups_) {
    study.short_lived.push_back(group);
    study.short_count += group.count;
  }
  auto& all = study.short_lived;
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.count > b.count; });
  for (std::size_t i = model::NodeStudy::kMaxListed; i < all.size(); ++i) study.short_left_out += all[i].count;
  if (all.size() > model::NodeStudy::kMaxListed) all.resize(model::NodeStudy::kMaxListed);
}

}  // namespace tailcap::node
