// Where the rows of a connection are, and the row of an exchange. Four to eight bytes a row.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyze/model/rows.h"

namespace tailcap::model {

class RowIndex {
 public:
  // rows: sorted by (start, id). They must outlive this and not change.
  explicit RowIndex(const Rows& rows);
  // Numbers of rows, in order of their start.
  std::span<const std::uint32_t> of(ConnectionId connection) const { return part(by_start_, connection); }
  std::optional<std::uint32_t> find(ExchangeId id) const;
  // One more than the highest number of a connection that has rows.
  std::size_t connections() const { return first_.empty() ? 0 : first_.size() - 1; }

 private:
  std::span<const std::uint32_t> part(const std::vector<std::uint32_t>& rows, ConnectionId connection) const;

  const Rows& rows_;
  std::vector<std::uint32_t> first_;     // by ConnectionId: index of its first row in both
  std::vector<std::uint32_t> by_start_;  // rows by (connection, start)
  std::vector<std::uint32_t> by_id_;     // rows by (connection, index); empty: in the same order
};

}  // namespace tailcap::model
