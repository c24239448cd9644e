// The handler that served a request, by its name in the program: "main.(*Cart).ServeHTTP".
//
// Beside the request table: only Go programs tell.
#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/text_pool.h"

namespace tailcap::flow {

class Handlers {
 public:
  using Entry = std::pair<ExchangeId, TextId>;
  // Ascending by request.
  void assign(std::vector<Entry> sorted) { all_ = std::move(sorted); }
  // 0: not known.
  TextId find(ExchangeId request) const {
    const auto at = std::lower_bound(all_.begin(), all_.end(), request, [](const Entry& e, ExchangeId id) { return e.first < id; });
    return at != all_.end() && at->first == request ? at->second : 0;
  }
  bool empty() const { return all_.empty(); }
  std::size_t size() const { return all_.size(); }

 private:
  std::vector<Entry> all_;
};

}  // namespace tailcap::flow
