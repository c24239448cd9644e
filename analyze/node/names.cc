#include "analyze/node/names.h"

#include "analyze/model/machine/processes.h"
#include "formats/event.h"
#include "formats/thread_event.h"

namespace tailcap::node {

void ProcessNames::push(const formats::Event& event) {
  std::string_view name;
  if (const auto* info = std::get_if<formats::TaskInfo>(&event.body))
    name = model::name_of(*info);
  else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body))
    name = exec->comm;
  else if (const auto* start = std::get_if<formats::TaskStart>(&event.body))
    name = start->comm;
  if (name.empty() || event.thread.pid == 0 || event.thread.pid != event.thread.tid) return;
  if (names_.size() < kMaxNames || names_.contains(event.thread.pid)) names_[event.thread.pid] = name;
}

const std::string& ProcessNames::of(std::uint32_t pid) const {
  static const std::string none;
  const auto at = names_.find(pid);
  return at == names_.end() ? none : at->second;
}

}  // namespace tailcap::node
