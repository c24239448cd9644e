// What a reader must know beside slow and failed requests: processes that crashed, listen queues that were
// full, goroutines that never end.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// A sentence for each, few, with the command that shows one of the requests concerned.
std::vector<render::List::Item> mishaps(const model::Study& study, const ReportOptions& options);

}  // namespace tailcap::report
