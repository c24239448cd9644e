// Messages in, exchanges out: pairs each response with its request, names the outcome.
//
// push() returns the exchanges that this message completed; valid until the next push. Their contents may be swapped
// out: the memory of what comes in is used again.
#pragma once

#include <memory>
#include <span>

#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"

namespace tailcap::exchanges {

class Exchanges {
 public:
  Exchanges();
  ~Exchanges();
  std::span<model::Exchange> push(const model::Message& message);
  const model::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::exchanges
