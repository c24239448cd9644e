#include "analyze/pipeline/window/numbers.h"

#include <algorithm>
#include <utility>

namespace tailcap::pipeline {

std::vector<Numberless> numberless(const model::RequestTable& table) {
  std::vector<Numberless> out;
  for (const model::Request row : table.rows) {
    // A head of another protocol may need what came before it.
    if (row.id.index > model::kProvisional && row.stream == 0 && !has_numbers(row.protocol) && row.path != 0 &&
        row.has_duration && formats::known(row.start))
      out.push_back({row.id, row.start, row.duration});
  }
  std::ranges::sort(out, {}, &Numberless::id);
  return out;
}

bool find_numbers(const NumbersKnown& known, const model::Quality& quality,
                  const std::set<model::ExchangeId>& provisional, PastOptions& past) {
  const std::vector<Numberless> before = std::exchange(past.numberless, {});
  std::set<model::ConnectionId> whole;
  for (const model::ExchangeId id : provisional) {
    if (!known.partly.contains(id.connection) || known.numbers.contains(id.connection)) continue;
    const auto at = std::ranges::lower_bound(known.numberless, id, {}, &Numberless::id);
    const bool again =
        std::ranges::any_of(before, [&](const Numberless& n) { return n.id.connection == id.connection; });
    if (at != known.numberless.end() && at->id == id && !again && id.connection != known.described)
      past.numberless.push_back(*at);
    else
      whole.insert(id.connection);
  }
  std::erase_if(past.numberless, [&](const Numberless& n) { return whole.contains(n.id.connection); });
  const bool more = !whole.empty() || !past.numberless.empty();
  past.whole.merge(whole);
  past.numbers = known.numbers;
  past.search_until = formats::known(quality.read_until) ? quality.read_until : quality.file.last;
  return more;
}

}  // namespace tailcap::pipeline
