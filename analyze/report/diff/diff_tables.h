// The tables of a difference.
#pragma once

#include <cstddef>

#include "analyze/model/difference/difference.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// What changed first, then what one side does not have, then most requests. most: routes; the others are counted.
// brief: served ones, where there are any, without medians over time and footnotes.
void add_routes(const model::difference::Difference& d, std::size_t most, bool brief, render::Document& out);
// Where the time went, the numbers of a request, its calls, its functions.
void add_route_tables(const model::difference::RouteDifference& route, render::Document& out);
void add_edges(const model::difference::Difference& d, render::Document& out);
void add_settings(const model::difference::Difference& d, render::Document& out);

}  // namespace tailcap::report
