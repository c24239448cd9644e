// A gate as a person writes it: an increase of one metric that is not accepted.
//
//   p99(/pay) > +10%     lock.futex(POST /pay) > +5ms     errors(*) > +0.5pt     calls(/pay) > +0
#pragma once

#include <string_view>

#include "analyze/model/gate/comparison.h"

namespace tailcap::query {

// Throws FilterError, with the column.
model::gate::Gate gate_of(std::string_view expression);

}  // namespace tailcap::query
