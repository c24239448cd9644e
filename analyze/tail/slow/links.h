// What the study of a route must know of other requests: where their rows are, which calls they made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "analyze/model/request.h"

namespace tailcap::tail::slow {

class Links {
 public:
  using Call = std::pair<model::ExchangeId, model::ExchangeId>;  // who made it; the call
  explicit Links(const model::RequestTable& table);
  std::optional<std::uint32_t> row_of(model::ExchangeId id) const;
  std::span<const Call> calls_of(model::ExchangeId parent) const;  // in the order of ids

 private:
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> rows_;
  std::vector<Call> calls_;
};

}  // namespace tailcap::tail::slow
