// The ID of a request in a report: on a page a link to what the page shows of it in time, or the command that shows it.
#pragma once

#include <string>

#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

std::string request_anchor(model::ExchangeId id);
bool shown_in_time(const ReportOptions& options, model::ExchangeId id);
std::string show_command(const ReportOptions& options, model::ExchangeId id);
render::Cell id_cell(const ReportOptions& options, model::ExchangeId id);

}  // namespace tailcap::report
