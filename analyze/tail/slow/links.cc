#include "analyze/tail/slow/links.h"

#include <algorithm>

namespace tailcap::tail::slow {

Links::Links(const model::RequestTable& table) : rows_(table.all()) {
  for (const auto& [call, cause] : table.causes)
    if (cause.parent.connection != 0) calls_.emplace_back(cause.parent, call);
  std::sort(calls_.begin(), calls_.end());
}

std::span<const Links::Call> Links::calls_of(model::ExchangeId parent) const {
  const auto begin = std::lower_bound(calls_.begin(), calls_.end(), Call{parent, {}});
  auto end = begin;
  while (end != calls_.end() && end->first == parent) ++end;
  return {begin, end};
}

}  // namespace tailcap::tail::slow
