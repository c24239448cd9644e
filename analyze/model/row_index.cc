#include "analyze/model/row_index.h"

#include <algorithm>
#include <numeric>

namespace tailcap::model {

RowIndex::RowIndex(const Rows& rows) : rows_(rows) {
  const auto n = static_cast<std::uint32_t>(rows.size());
  for (std::uint32_t i = 0; i < n; ++i) {
    const std::size_t after = rows.id(i).connection + std::size_t{1};
    if (first_.size() <= after) first_.resize(after + 1);
    ++first_[after];
  }
  std::partial_sum(first_.begin(), first_.end(), first_.begin());
  by_start_.resize(n);
  std::vector<std::uint32_t> next = first_;
  for (std::uint32_t i = 0; i < n; ++i) by_start_[next[rows.id(i).connection]++] = i;
  const auto index = [&](std::uint32_t row) { return rows.id(row).index; };
  for (std::size_t c = 0; c + 1 < first_.size(); ++c) {
    const auto connection = static_cast<ConnectionId>(c);
    if (std::ranges::is_sorted(part(by_start_, connection), {}, index)) continue;
    if (by_id_.empty()) by_id_ = by_start_;
    std::ranges::sort(std::span(by_id_).subspan(first_[c], first_[c + 1] - first_[c]), {}, index);
  }
}

std::span<const std::uint32_t> RowIndex::part(const std::vector<std::uint32_t>& rows, ConnectionId connection) const {
  if (connection + std::size_t{1} >= first_.size()) return {};
  return std::span{rows}.subspan(first_[connection], first_[connection + 1] - first_[connection]);
}

std::optional<std::uint32_t> RowIndex::find(ExchangeId id) const {
  const auto ids = part(by_id_.empty() ? by_start_ : by_id_, id.connection);
  if (ids.empty()) return std::nullopt;
  const auto index = [&](std::uint32_t row) { return rows_.id(row).index; };
  // Nearly always, none is missing between the first and this one.
  const std::uint32_t first = index(ids.front());
  if (id.index >= first && id.index - first < ids.size() && index(ids[id.index - first]) == id.index)
    return ids[id.index - first];
  const auto at = std::ranges::lower_bound(ids, id.index, {}, index);
  if (at == ids.end() || index(*at) != id.index) return std::nullopt;
  return *at;
}

}  // namespace tailcap::model
