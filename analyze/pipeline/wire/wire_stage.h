// First half of the first reading: events become bytes in order, messages and exchanges.
#pragma once

#include <cstdint>
#include <utility>

#include "analyze/exchanges/exchanges.h"
#include "analyze/model/study/study.h"
#include "analyze/pipeline/wire/wire.h"
#include "analyze/pipeline/wire/wire_sink.h"
#include "formats/bounds/read_limits.h"

namespace tailcap::pipeline {

class WireStage {
 public:
  // Without an allowance there may be as many requests as there are.
  WireStage(formats::RequestAllowance* allowance, model::PartlyRead partly, exchanges::Exchanges exchanges)
      : allowance_(allowance), wire_(std::move(partly)), exchanges_(std::move(exchanges)) {}

  void push(const formats::Event& event, WireSink& sink);
  const exchanges::Exchanges& exchanges() const { return exchanges_; }
  // Counts and findings.
  void fill(model::Quality& quality) const;

 private:
  bool admit(const model::Message& message);

  formats::RequestAllowance* const allowance_;
  std::uint64_t requests_ = 0;  // and responses to requests that were not recorded
  bool full_ = false;           // there may be no more requests: what follows is not looked at
  Wire wire_;
  exchanges::Exchanges exchanges_;
};

}  // namespace tailcap::pipeline
