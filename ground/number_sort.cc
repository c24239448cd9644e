#include "ground/number_sort.h"

#include <algorithm>

#include "ground/sort_by_number.h"

namespace tailcap::ground {

void sort_numbers(std::vector<std::int64_t>& numbers) {
  boost::sort::spreadsort::integer_sort(numbers.begin(), numbers.end());
}

void sort_ranked(std::vector<Ranked>& things) {
  sort_by_number(things, [](const Ranked& r) { return r.by; });
  for (auto begin = things.begin(); begin != things.end();) {
    const auto end = std::find_if(begin, things.end(), [&](const Ranked& r) { return r.by != begin->by; });
    if (end - begin > 1) std::sort(begin, end, [](const Ranked& a, const Ranked& b) { return a.place < b.place; });
    begin = end;
  }
}

}  // namespace tailcap::ground
