#include "analyze/model/wire/named_requests.h"

namespace tailcap::model {
namespace {

thread_local NamedRequests* innermost = nullptr;

}  // namespace

NamedRequests::NamedRequests() : outer_(innermost) { innermost = this; }
NamedRequests::~NamedRequests() { innermost = outer_; }

void name_request(ExchangeId id) {
  if (innermost && id.index > kProvisional) innermost->provisional_.insert(id);
}

std::string request_number(ExchangeId id) {
  name_request(id);
  return std::to_string(id.connection) + "." + std::to_string(id.index);
}

}  // namespace tailcap::model
