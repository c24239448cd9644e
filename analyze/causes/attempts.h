// Finds requests that are attempts of one call: refused or unanswered requests that were made again, and gRPC's retries
// and hedges.
//
// With gRPC's header grpc-previous-rpc-attempts, the number of the attempt is certain; its call is named where only one
// is possible. All else is inferred: the same request (process, method, target, authority, a body that is not smaller,
// no other x-request-id) was made once within a second of
//   - its being refused unprocessed: REFUSED_STREAM, or above GOAWAY's last stream;
//   - its staying unanswered on a connection that had carried others before: the server had closed it meanwhile.
// Where several calls are possible, none is named.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::causes {

class Attempts {
 public:
  // Limit of noted requests. Beyond it, attempts stay unknown.
  static constexpr std::size_t kMaxNoted = 1u << 16;

  // Every exchange. existed: its connection was open before the recording began.
  void push(const model::Exchange& exchange, bool existed);
  // Once, when the table is sorted by start: fills attempt, attempt_of and attempt_how.
  void settle(model::RequestTable& table);

 private:
  struct Noted {
    model::ExchangeId id;
    model::AttemptEvidence how =
        model::AttemptEvidence::none;  // refused, unanswered: it failed. grpc_header: it repeats
    std::uint32_t previous = 0;        // grpc_header: attempts before it
    model::Time failed_at = model::kNoTime;
  };
  class Search;

  std::vector<Noted> noted_;
};

}  // namespace tailcap::causes
