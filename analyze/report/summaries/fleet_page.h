// tailcap fleet: the services of many summaries, as text, Markdown, a page and JSON.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/summaries/fleet_study.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// most: rows of a table; on a page, tables are sorted by a click.
render::Document fleet_page(const model::FleetStudy& study, std::size_t most);
std::string fleet_json(const model::FleetStudy& study);
std::string fleet_schema();

}  // namespace tailcap::report
