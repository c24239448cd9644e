// Messages in, exchanges out: pairs each response with its request, names the outcome.
//
// push() returns the exchanges that this message completed; valid until the next push.
#pragma once

#include <memory>

#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"
#include "ground/slots.h"

namespace tailcap::exchanges {

class Exchanges {
 public:
  Exchanges();
  ~Exchanges();
  const ground::Slots<model::Exchange>& push(const model::Message& message);
  const model::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::exchanges
