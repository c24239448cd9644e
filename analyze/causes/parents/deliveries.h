// Which request published the message of a delivery, where the message itself proves it.
//
// A broker hands on the reply subject that a request of NATS came with. Client libraries make such subjects, and no
// other message has the same: a delivery with it is of the one request that had it. Where two requests had it, neither
// is named; likewise where a connection had two deliveries with it, of which one may be of a request that was not seen.
// JetStream tells the publisher the place of a message in its stream, and each consumer the place and when it came
// there. Streams of other accounts may have the same place: that time must lie in the request's.
// No thread, goroutine or time says which message a delivery is of: a broker may have kept it for hours.
#pragma once

#include <unordered_map>
#include <vector>

#include "analyze/model/cause.h"
#include "analyze/model/request.h"
#include "analyze/model/wall_clock.h"
#include "formats/event.h"

namespace tailcap::causes {

class Deliveries {
 public:
  static constexpr std::size_t kMostNoted = 1u << 19;  // of each kind; later ones have no parent

  // A broker's delivery, as its client end: no other evidence is weighed for it.
  static bool is_delivery(const model::Exchange& exchange);
  void push(const formats::Event& event);
  void push(const model::Exchange& exchange, std::uint32_t pid);
  void settle(std::vector<model::Causes::Link>& links);

 private:
  struct Published {
    model::ExchangeId id;
    std::uint32_t pid = 0;
    formats::Time read = formats::kNoTime, answered = formats::kNoTime;
    bool several = false;
  };
  struct Delivery {
    model::ExchangeId id;
    std::uint32_t pid = 0;
    formats::Time sent = formats::kNoTime;
    std::uint64_t message = 0;  // or its place
    std::int64_t stored_at = 0;
  };
  class Publications {
   public:
    void add(std::uint64_t message, const Published& published);
    // Null: none, or not the only one.
    const Published* of(const Delivery& delivery) const;

   private:
    std::unordered_map<std::uint64_t, Published> by_message_;  // as brokers read them
    bool full_ = false;
  };
  void settle_stored(std::vector<model::Causes::Link>& links) const;

  Publications published_, stored_;
  std::vector<Delivery> delivered_, handed_out_;  // by message, by place
  model::WallClock clock_;
};

}  // namespace tailcap::causes
