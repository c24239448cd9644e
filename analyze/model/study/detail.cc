#include "analyze/model/study/detail.h"

#include <algorithm>

#include "analyze/model/wire/named_requests.h"

namespace tailcap::model {

std::string Detail::title_of(ExchangeId id) const {
  const auto at =
      std::lower_bound(titles.begin(), titles.end(), id, [](const auto& t, ExchangeId x) { return t.first < x; });
  const std::string number = request_number(id);
  return at == titles.end() || at->first != id ? number : at->second + " (" + number + ")";
}

}  // namespace tailcap::model
