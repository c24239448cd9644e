#include "analyze/model/setup.h"

#include <algorithm>

namespace tailcap::model {

Time Setup::began() const {
  if (dns().count() >= 0) return dns_began;
  if (connect().count() >= 0) return connect_began;
  return tls().count() >= 0 ? tls_began : kNoTime;
}

const Setup* Setups::find(ExchangeId request) const {
  const auto at =
      std::lower_bound(all_.begin(), all_.end(), request, [](const auto& a, ExchangeId id) { return a.first < id; });
  return at != all_.end() && at->first == request ? &at->second : nullptr;
}

}  // namespace tailcap::model
