// Requests and what they caused, as the first reading joined them.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "analyze/model/request.h"

namespace tailcap::pipeline {

class Family {
 public:
  explicit Family(const model::RequestTable& table);

  // The processes of the request, of its other end and of everything that they caused, ascending. Begins with 0, which
  // is no process: a collector of lanes without any would take all.
  std::vector<std::uint32_t> pids(model::ExchangeId id) const;

 private:
  const model::RequestTable& table_;
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> rows_;
  std::vector<std::pair<model::ExchangeId, model::ExchangeId>> made_;  // parent, call
};

}  // namespace tailcap::pipeline
