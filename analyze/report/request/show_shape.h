// `tailcap show --json` of one request, for what has it inside.
#pragma once

#include "analyze/report/json/shape.h"
#include "analyze/report/request/show.h"

namespace tailcap::report::of_show {

const Shape<ShownRequest, Anywhere>& show_shape();

}  // namespace tailcap::report::of_show
