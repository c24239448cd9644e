// Facts that only Go programs provide about a request, beside the request table: its handler, by its name in the
// program
// ("main.(*Cart).ServeHTTP"), and the goroutine that runs it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

template <class Value>
class BesideRequests {
 public:
  using Entry = std::pair<ExchangeId, Value>;
  // Ascending by request.
  void assign(std::vector<Entry> sorted) { all_ = std::move(sorted); }
  // Value{}: not known.
  Value find(ExchangeId request) const {
    const auto at =
        std::lower_bound(all_.begin(), all_.end(), request, [](const Entry& e, ExchangeId id) { return e.first < id; });
    return at != all_.end() && at->first == request ? at->second : Value{};
  }
  bool empty() const { return all_.empty(); }
  const std::vector<Entry>& all() const { return all_; }
  std::vector<Entry>& all() { return all_; }
  std::size_t size() const { return all_.size(); }

 private:
  std::vector<Entry> all_;
};
using Handlers = BesideRequests<TextId>;
// Only of requests over HTTP/2, whose bytes other goroutines move.
using HandlerGoroutines = BesideRequests<std::uint64_t>;

}  // namespace tailcap::model
