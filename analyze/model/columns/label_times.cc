#include "analyze/model/columns/label_times.h"

#include <algorithm>

namespace tailcap::model::columns {

LabelTimes label_times(AccountParts parts) {
  LabelTimes out;
  for (const AccountPart& part : parts) {
    const auto known = std::ranges::find(out, part.label, &LabelTimes::value_type::first);
    if (known == out.end())
      out.emplace_back(part.label, part.time);
    else
      known->second += part.time;
  }
  std::ranges::sort(out, {}, &LabelTimes::value_type::first);
  return out;
}

LabelTimes longest_labels(AccountParts parts) {
  LabelTimes out = label_times(parts);
  std::ranges::stable_sort(out, std::ranges::greater(), &LabelTimes::value_type::second);
  return out;
}

}  // namespace tailcap::model::columns
