// The functions of requests as the script of a page reads them.
#pragma once

#include <span>

#include "analyze/model/request.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/page/data_columns.h"
#include "analyze/report/page/instrument_data.h"
#include "analyze/report/page/shown_rows.h"

namespace tailcap::report::page {

// "stacks": whether samples, and stacks of waits, were recorded. "functions": of detailed requests, one after the
// other: row, whether it waited, whether there is a stack, function, what it called, who called it, count, samples or
// ns.
void write_functions(JsonWriter& json, const model::RequestTable& table, const FactsOfRequests& facts,
                     std::span<const ShownRow> rows, DataTexts& texts);

}  // namespace tailcap::report::page
