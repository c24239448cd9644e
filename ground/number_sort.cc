#include "ground/number_sort.h"

#include <algorithm>

#include "ground/sort_by_number.h"

namespace tailcap::ground {
namespace {

// In the same order, without a sign: the difference of any two can be represented.
std::uint64_t without_sign(std::int64_t number) {
  return static_cast<std::uint64_t>(number) ^ (std::uint64_t{1} << 63);
}

}  // namespace

void sort_numbers(std::vector<std::int64_t>& numbers) { sort_by_number(numbers, without_sign); }

void sort_ranked(std::vector<Ranked>& things) {
  sort_by_number(things, [](const Ranked& r) { return without_sign(r.by); });
  for (auto begin = things.begin(); begin != things.end();) {
    const auto end = std::find_if(begin, things.end(), [&](const Ranked& r) { return r.by != begin->by; });
    if (end - begin > 1) std::sort(begin, end, [](const Ranked& a, const Ranked& b) { return a.place < b.place; });
    begin = end;
  }
}

}  // namespace tailcap::ground
