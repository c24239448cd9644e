// The ID of a request in a report: on a page a link to what the page shows of it in time, or the command that shows it.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

std::string request_anchor(model::ExchangeId id);
bool shown_in_time(const ReportOptions& options, model::ExchangeId id);
std::string show_command(const ReportOptions& options, model::ExchangeId id);
render::Cell id_cell(const ReportOptions& options, model::ExchangeId id);
// The IDs in the text that have provisional numbers (model::kProvisional). Other numbers that look like one are among
// them.
std::set<model::ExchangeId> provisional_ids(std::string_view text);

}  // namespace tailcap::report
