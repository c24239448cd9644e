// What an answer says beside its cause: who used the disks, which callers felt it, what still had no answer. Empty:
// nothing.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report {

std::string felt_text(const model::Verdict& v, const model::Study& study);
std::string disk_text(const model::Verdict& v);
std::string memory_text(const model::Verdict& v);
std::string unanswered_text(const model::Verdict& v);

}  // namespace tailcap::report
