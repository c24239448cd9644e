#include "analyze/pipeline/request/family.h"

#include <algorithm>
#include <set>

namespace tailcap::pipeline {

using model::ExchangeId;

Family::Family(const model::RequestTable& table) : table_(table) {
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) rows_.emplace_back(table.rows.id(i), i);
  std::sort(rows_.begin(), rows_.end());
  for (const auto& [call, cause] : table.causes)
    if (cause.parent.connection != 0) made_.emplace_back(cause.parent, call);
  std::sort(made_.begin(), made_.end());
}

std::vector<std::uint32_t> Family::pids(ExchangeId first) const {
  std::set<ExchangeId> met;
  std::set<std::uint32_t> pids = {0};
  std::vector<ExchangeId> next = {first};
  while (!next.empty()) {
    const ExchangeId id = next.back();
    next.pop_back();
    const auto at = std::lower_bound(rows_.begin(), rows_.end(), std::pair{id, std::uint32_t{0}});
    if (at == rows_.end() || at->first != id || !met.insert(id).second) continue;
    const model::Request row = table_.rows[at->second];
    pids.insert(row.pid);
    if (row.peer.connection != 0) next.push_back(row.peer);
    for (auto call = std::lower_bound(made_.begin(), made_.end(), std::pair{id, ExchangeId{}});
         call != made_.end() && call->first == id; ++call)
      next.push_back(call->second);
  }
  return {pids.begin(), pids.end()};
}

}  // namespace tailcap::pipeline
