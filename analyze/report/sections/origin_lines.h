// Where a capture comes from, and what somebody asks about it: the lines below the first one of a report.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

// A cut capture's: out of how many requests, and the original's percentiles. With notes: these.
std::vector<FactLine> origin_lines(const model::Study& study);

struct NoteOnRequest {
  std::string request;  // "12.3"; empty: on the whole capture
  std::string text;
};
// What `tailcap note` added; printable().
std::vector<NoteOnRequest> notes_of(const model::Study& study);

}  // namespace tailcap::report
