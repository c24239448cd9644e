// What state the connection of a request that failed was in when it was sent, and how its server ended it.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/wire/connection.h"

namespace tailcap::causes {

class UseFinder {
 public:
  static constexpr std::size_t kMaxConnections = 1u << 18;  // whose last exchange is remembered
  static constexpr std::size_t kMaxUses = 1u << 20;

  void push(const model::Exchange& exchange, const model::Request& row, const model::Connection& connection);
  // The message is of kind closed.
  void push(const model::Message& closed);
  // Once: fills table.uses. Its peers are not named yet.
  void settle(model::RequestTable& table);

 private:
  struct Failed {
    model::ExchangeId id;
    model::ConnectionUse use;
    formats::Time end = formats::kNoTime;
  };
  struct Dismissed {
    formats::Time at = formats::kNoTime;
    std::uint32_t code = 0;
  };
  std::unordered_map<model::ConnectionId, formats::Time> last_;   // when the exchange before was over
  std::unordered_map<model::ConnectionId, Dismissed> dismissed_;  // with an error (GOAWAY)
  std::vector<Failed> failed_;
};

}  // namespace tailcap::causes
