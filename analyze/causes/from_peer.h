// What the header compression of one end's record left unknown, from the other end's record of the same exchange.
//
// The bytes on the wire are the same at both ends: what was known at one of them is certain at the other.
#pragma once

#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/request.h"

namespace tailcap::causes {

class FieldsFromPeer {
 public:
  void push(const flow::Exchange& exchange);
  // Once, when every row knows its peer: fills what is not known in a row and is in its peer's.
  void settle(flow::RequestTable& table);

 private:
  std::vector<flow::ExchangeId> unknown_;
};

}  // namespace tailcap::causes
