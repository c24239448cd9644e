// What it would take to be sure of an answer that does not name its cause.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// " To see who holds it: --stacks."; empty where the answer names its cause, or nothing that could be recorded is
// known.
std::string sure_text(const model::Verdict& v, const model::Study& study, const model::RequestTable& table);

}  // namespace tailcap::report::tail
