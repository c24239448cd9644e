// Lines of log files, as the script of a page reads them.
#pragma once

#include <span>

#include "analyze/model/logs/log_line.h"
#include "analyze/model/request.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/page/data_columns.h"
#include "analyze/report/page/shown_rows.h"

namespace tailcap::report::page {

// The member `logs`; script/README.md in analyze/render describes it.
void write_logs(JsonWriter& json, const model::LogBook& book, const model::RequestTable& table,
                std::span<const ShownRow> rows, DataTexts& texts);

}  // namespace tailcap::report::page
