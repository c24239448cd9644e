// What a capture that was cut out of another says of it: notes of the preamble (formats/FORMAT.md).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

// A route of the original.
struct CutRoute {
  std::string method, route;
  Role role = Role::server;
  std::uint64_t count = 0;
  std::array<std::int64_t, 5> latency{};  // ns, at kQuantiles; -1: too few requests
};

struct CutNote {
  using Notes = std::vector<std::pair<std::string, std::string>>;

  std::uint64_t requests = 0;   // of the original
  std::uint64_t shown = 0;      // chosen ones and those to compare them with
  std::vector<ExchangeId> ids;  // those that read as in the original, ascending: no others are shown
  std::vector<CutRoute> routes;

  Notes to_notes() const;
  // Nothing: the capture is whole, or its notes are not what they should be.
  static std::optional<CutNote> from_notes(const Notes& notes);
};

}  // namespace tailcap::model
