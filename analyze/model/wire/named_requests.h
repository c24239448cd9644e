// The numbers of requests become text here, like 12.3.
//
// Where only a part of a capture was read, some numbers are provisional (kProvisional) and must not be shown. A
// NamedRequests collects them while an answer is made from such a part, so that more can be read.
#pragma once

#include <set>
#include <string>

#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

std::string request_number(ExchangeId id);
// For what has the number from elsewhere: it becomes text, too.
void name_request(ExchangeId id);

// Collects the requests that are named on this thread during its life. One inside another collects alone.
class NamedRequests {
 public:
  NamedRequests();
  ~NamedRequests();
  NamedRequests(const NamedRequests&) = delete;
  NamedRequests& operator=(const NamedRequests&) = delete;

  // Those with provisional numbers.
  const std::set<ExchangeId>& provisional() const { return provisional_; }

 private:
  friend void name_request(ExchangeId id);

  NamedRequests* const outer_;
  std::set<ExchangeId> provisional_;
};

}  // namespace tailcap::model
