// Messages in, exchanges out: pairs each response with its request, names the outcome.
//
// push() returns the exchanges that this message completed; valid until the next push for the same part of the
// connections (ground::part_of). Each may be swapped for another. Different parts may be pushed at the same time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"
#include "ground/slots.h"

namespace tailcap::exchanges {

class Exchanges {
 public:
  // Numbers: how many exchanges a connection of which only a part is read had before that part.
  using Numbers = std::map<model::ConnectionId, std::uint32_t>;

  // The exchanges of connections that are partly read have provisional numbers where `numbers` does not know them.
  explicit Exchanges(model::PartlyRead partly = {}, Numbers numbers = {});
  ~Exchanges();
  Exchanges(Exchanges&&) noexcept;
  ground::Slots<model::Exchange>& push(const model::Message& message);
  model::Findings findings() const;
  // Requests that wait for their response: whole ones, so far as was seen. Without id and outcome.
  void each_under_way(const std::function<void(const model::Exchange&)>& use) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::exchanges
