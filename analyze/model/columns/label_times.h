// A request's time by label: the sum of the parts of its account that have it.
#pragma once

#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <utility>

#include "analyze/model/partition.h"

namespace tailcap::model::columns {

using LabelTimes = boost::container::small_vector<std::pair<Label, std::int64_t>, 8>;  // ns
LabelTimes label_times(AccountParts parts);                                            // by label
// The longest first; of the same length, by label.
LabelTimes longest_labels(AccountParts parts);

}  // namespace tailcap::model::columns
