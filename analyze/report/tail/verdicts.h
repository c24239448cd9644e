// The answers with which a report begins.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::tail {

// A numbered sentence for each verdict worth reading, with the command that shows its proof. Empty: no request could be
// followed.
render::Document verdicts(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);

}  // namespace tailcap::report::tail
