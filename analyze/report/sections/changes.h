// Changes during the recording and their effects, in sentences.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

inline constexpr const char* kChangesTitle = "Changes while recording";

// The shifts, "After deploy=v3 (12:00:05 UTC) GET /x: median +8.2 ms (7.9–8.6), …", largest sure effect first.
std::vector<std::string> shift_sentences(const model::Study& study);
// These, then every change with its time and what is said of it. Printable; empty: nothing changed.
// Routes that began to answer otherwise.
std::vector<std::string> status_sentences(const model::Study& study);
std::vector<std::string> change_lines(const model::Study& study);

}  // namespace tailcap::report
