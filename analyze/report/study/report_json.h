// The report for machines. docs/JSON.md describes every name; the same study makes the same bytes.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report {

// One line with its end.
std::string json_report(const model::Study& study, const model::RequestTable& table);
// The schema of it.
std::string report_schema();
// One of its verdicts.
std::string verdict_json(const model::Verdict& verdict, const model::Study& study, const model::RequestTable& table);

}  // namespace tailcap::report
