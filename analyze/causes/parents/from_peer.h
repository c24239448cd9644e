// Fills in fields that header compression left unknown at one end, from the other end's record of the same exchange.
//
// The bytes on the wire are the same at both ends, so a field known at one end is certain at the other.
#pragma once

#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::causes {

class FieldsFromPeer {
 public:
  void push(const model::Exchange& exchange);
  // Once, when every row knows its peer: fills the unknown fields of each row from its peer's row.
  void settle(model::RequestTable& table);

 private:
  std::vector<model::ExchangeId> unknown_;
};

}  // namespace tailcap::causes
