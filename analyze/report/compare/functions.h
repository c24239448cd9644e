// In which functions the CPU time of requests changed, in words.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// "POST /pay: +2.10 ms (+1.90 ms … +2.30 ms) a request on a CPU in json_encode, called from render; …"
std::string function_sentence(const model::gate::Comparison& comparison, const model::gate::FunctionRow& row);
// One for each function whose change is certain.
std::vector<std::string> changed_functions(const model::gate::Comparison& comparison);
// Nothing where there are no samples.
void add_functions(const model::gate::Comparison& comparison, render::Document& out);

}  // namespace tailcap::report
