// Verdicts for machines; docs/JSON.md describes every name.
#pragma once

#include "analyze/model/study/study.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report::tail {

void append_culprit(JsonWriter& json, const model::CulpritStudy& culprit, const model::TextPool& texts);
void append_verdict(JsonWriter& json, const model::Verdict& verdict, const model::Study& study,
                    const model::RequestTable& table);
void append_shortage(JsonWriter& json, const model::Study& study);

}  // namespace tailcap::report::tail
