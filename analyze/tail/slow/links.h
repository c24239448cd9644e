// What the study of a route must know of other requests: where their rows are, and which calls they made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "analyze/flow/request.h"

namespace tailcap::tail::slow {

class Links {
 public:
  using Call = std::pair<flow::ExchangeId, flow::ExchangeId>;  // who made it; the call
  explicit Links(const flow::RequestTable& table);
  std::optional<std::uint32_t> row_of(flow::ExchangeId id) const;
  std::span<const Call> calls_of(flow::ExchangeId parent) const;  // in the order of ids

 private:
  std::vector<std::pair<flow::ExchangeId, std::uint32_t>> rows_;
  std::vector<Call> calls_;
};

}  // namespace tailcap::tail::slow
