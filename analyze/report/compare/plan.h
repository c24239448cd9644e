// What gates could decide on a machine, as a document and in JSON.
#pragma once

#include "analyze/model/gate/comparison.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// comparison.plan is made.
render::Document plan_document(const model::gate::Comparison& comparison);

}  // namespace tailcap::report
