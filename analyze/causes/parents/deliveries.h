// Which request published the message of a delivery, where the message itself proves it.
//
// A broker hands on the reply subject that a request of NATS came with. Client libraries make such subjects, and no
// other message has the same: a delivery with it is of the one request that had it. Where two requests had it, neither
// is named; likewise where a connection had two deliveries with it, of which one may be of a request that was not seen.
// No thread, goroutine or time says which message a delivery is of: a broker may have kept it for hours.
#pragma once

#include <unordered_map>
#include <vector>

#include "analyze/model/cause.h"
#include "analyze/model/request.h"

namespace tailcap::causes {

class Deliveries {
 public:
  static constexpr std::size_t kMostNoted = 1u << 19;  // of each kind; later ones have no parent

  // A broker's delivery, as its client end: no other evidence is weighed for it.
  static bool is_delivery(const model::Exchange& exchange);
  void push(const model::Exchange& exchange, std::uint32_t pid);
  void settle(std::vector<model::Causes::Link>& links);

 private:
  struct Published {
    model::ExchangeId id;
    std::uint32_t pid = 0;
    formats::Time read = formats::kNoTime;
    bool several = false;
  };
  struct Delivery {
    model::ExchangeId id;
    std::uint32_t pid = 0;
    formats::Time sent = formats::kNoTime;
    std::uint64_t message = 0;
  };
  std::unordered_map<std::uint64_t, Published> published_;  // by message, as brokers read them
  std::vector<Delivery> delivered_;
  bool full_ = false;
};

}  // namespace tailcap::causes
