// First half of the first reading: events become bytes in order, messages and exchanges. At once, or in two steps for
// many events: then different events, and different parts of the connections, are on different threads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "analyze/exchanges/exchanges.h"
#include "analyze/model/study/study.h"
#include "analyze/pipeline/wire/wire.h"
#include "analyze/pipeline/wire/wire_batch.h"
#include "analyze/pipeline/wire/wire_sink.h"
#include "formats/bounds/read_limits.h"

namespace tailcap::pipeline {

class WireStage {
 public:
  // Without an allowance there may be as many requests as there are.
  WireStage(formats::RequestAllowance* allowance, model::PartlyRead partly, exchanges::Exchanges exchanges)
      : allowance_(allowance), wire_(std::move(partly)), exchanges_(std::move(exchanges)) {}

  void push(const formats::Event& event, WireSink& sink);
  // The first step, on the thread of push(): events become bytes in order.
  void take(const formats::Event& event, WireBatch& batch);
  // The second, on any thread: the bytes of a part of the connections become messages and exchanges. Batches in order.
  void make(WireBatch& batch, std::size_t part);
  // After that, on any thread: its requests. On the thread of push(), they count then.
  void count(const WireBatch& batch) { made_ += batch.requests(); }
  void admit_counted();
  // Events may be taken before all requests of those before them count.
  bool far_from_limit() const { return !allowance_ || allowance_->is_far(requests_); }

  const exchanges::Exchanges& exchanges() const { return exchanges_; }
  // Counts and findings.
  void fill(model::Quality& quality) const;

 private:
  template <class Admit, class Use>
  void make(const model::ByteRun& run, Admit admit, Use use);
  template <class To, class Use>
  void pass(const formats::Event& event, To& to, Use use);
  bool admit(std::uint64_t requests);

  formats::RequestAllowance* const allowance_;
  std::uint64_t requests_ = 0;           // and responses to requests that were not recorded
  std::atomic<std::uint64_t> made_ = 0;  // by count(): in requests_ after admit_counted()
  bool full_ = false;                    // there may be no more requests: what follows is not looked at
  Wire wire_;
  exchanges::Exchanges exchanges_;
};

}  // namespace tailcap::pipeline
