// What the study of a route must know of other requests: where their rows are, which calls they made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/row_index.h"

namespace tailcap::tail::slow {

class Links {
 public:
  using Call = std::pair<model::ExchangeId, model::ExchangeId>;  // who made it; the call
  // The table must outlive this and not change.
  explicit Links(const model::RequestTable& table);
  // In RequestTable::all().
  std::optional<std::uint32_t> row_of(model::ExchangeId id) const { return rows_.find(id); }
  std::span<const Call> calls_of(model::ExchangeId parent) const;  // in the order of ids

 private:
  const model::RowIndex rows_;
  std::vector<Call> calls_;
};

}  // namespace tailcap::tail::slow
