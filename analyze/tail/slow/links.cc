#include "analyze/tail/slow/links.h"

#include <algorithm>

namespace tailcap::tail::slow {

Links::Links(const model::RequestTable& table) {
  rows_.reserve(table.rows.size());
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) rows_.emplace_back(table.rows.id(i), i);
  std::sort(rows_.begin(), rows_.end());
  for (const auto& [call, cause] : table.causes)
    if (cause.parent.connection != 0) calls_.emplace_back(cause.parent, call);
  std::sort(calls_.begin(), calls_.end());
}

std::optional<std::uint32_t> Links::row_of(model::ExchangeId id) const {
  const auto at = std::lower_bound(rows_.begin(), rows_.end(), std::pair{id, std::uint32_t{0}});
  if (at == rows_.end() || at->first != id) return std::nullopt;
  return at->second;
}

std::span<const Links::Call> Links::calls_of(model::ExchangeId parent) const {
  const auto begin = std::lower_bound(calls_.begin(), calls_.end(), Call{parent, {}});
  auto end = begin;
  while (end != calls_.end() && end->first == parent) ++end;
  return {begin, end};
}

}  // namespace tailcap::tail::slow
