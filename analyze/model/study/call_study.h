// The facts about one RPC method that a report shows beyond those of any route.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/grpc.h"

namespace tailcap::model {

// A call that was not over by its deadline: indexes into the request table.
struct DeadlineMiss {
  std::uint32_t row = 0;
  std::optional<std::uint32_t> peer;  // the same call at its other end
};

// A call with a missing or misplaced trace context.
struct ContextFault {
  ExchangeId id;
  std::uint32_t stream = 0;
  bool late = false;  // otherwise: missing, while other calls of the method have one
};

struct CallStudy {
  static constexpr std::size_t kMaxListed = 20;

  std::vector<std::pair<int, std::uint64_t>> statuses;                  // ascending
  std::uint64_t cancelled = 0;                                          // by the client, without a status
  std::uint64_t without_status = 0;                                     // otherwise: broken off, unfinished, not seen
  std::vector<std::pair<GrpcCause, std::uint64_t>> causes;              // of those with UNIMPLEMENTED
  std::uint64_t request_messages = 0, response_messages = 0;            // sums
  bool messages_exact = true;                                           // false: at least
  std::uint64_t most_request_messages = 0, most_response_messages = 0;  // of one call
  std::uint64_t with_deadline = 0, met = 0, missed = 0, abandoned = 0, deadline_unknown = 0;
  std::vector<DeadlineMiss> misses;  // the first of them
  std::uint64_t context_head = 0, context_missing = 0, context_late = 0;
  std::vector<ContextFault> context_faults;  // the first of them
};

}  // namespace tailcap::model
