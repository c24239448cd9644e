// Sorting things in place by a number: by its digits where there are many.
#pragma once

#include <boost/sort/spreadsort/integer_sort.hpp>
#include <vector>

namespace tailcap::ground {

// number(thing) is an unsigned integer. Things with the same number are in any order.
template <class Thing, class Number>
void sort_by_number(std::vector<Thing>& things, const Number& number) {
  boost::sort::spreadsort::integer_sort(
      things.begin(), things.end(), [&](const Thing& thing, unsigned digits) { return number(thing) >> digits; },
      [&](const Thing& a, const Thing& b) { return number(a) < number(b); });
}

}  // namespace tailcap::ground
