// A function in which requests were on a CPU.
#pragma once

#include "analyze/model/study/flame.h"
#include "analyze/report/json/shape.h"

namespace tailcap::report {

inline const Shape<model::HotFunction, Anywhere>& function_shape() {
  static const Shape<model::HotFunction, Anywhere> shape{"function",
                                                         {
                                                             {"name", &model::HotFunction::name},
                                                             {"samples", &model::HotFunction::samples},
                                                             {"inside", &model::HotFunction::inside, "of these"},
                                                         }};
  return shape;
}

}  // namespace tailcap::report
