#include "analyze/model/cause.h"

#include <algorithm>

namespace tailcap::model {

std::string_view name_of(CauseMethod method) {
  switch (method) {
    case CauseMethod::none:
      return {};
    case CauseMethod::trace_id:
      return "trace_id";
    case CauseMethod::thread:
      return "thread";
    case CauseMethod::turn:
      return "turn";
    case CauseMethod::goroutine:
      return "goroutine";
    case CauseMethod::channel:
      return "channel";
    case CauseMethod::content:
      return "content";
    case CauseMethod::message:
      return "message";
  }
  return {};
}

const Cause* Causes::find(ExchangeId request) const {
  const auto at = std::lower_bound(all_.begin(), all_.end(), request,
                                   [](const Link& link, ExchangeId id) { return link.first < id; });
  return at != all_.end() && at->first == request ? &at->second : nullptr;
}

}  // namespace tailcap::model
