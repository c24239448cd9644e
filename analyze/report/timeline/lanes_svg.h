// Lanes as a picture, an SVG that needs nothing else, or a part of a page; and as JSON.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/lanes.h"
#include "analyze/render/document.h"

namespace tailcap::report {

struct LanesPicture {
  model::Time zero = model::kNoTime;         // where the axis says 0: a request's beginning, the recording's
  model::Time marked_from = model::kNoTime;  // shaded: a request; kNoTime: nothing
  model::Time marked_to = model::kNoTime;
  bool alone = true;  // a document, with a background of its own; otherwise for a page, which has the legend
};

std::string lanes_svg(const model::Lanes& lanes, const LanesPicture& how);

// On a page, with [from, to) marked: a request.
render::Figure lanes_figure(const model::Lanes& lanes, model::Time from, model::Time to);
// Explains what threads did, in a page.
std::vector<render::LegendEntry> lanes_legend(const model::Lanes& lanes);

// One line.
std::string lanes_json(const model::Lanes& lanes, model::Time zero);
std::string lanes_schema();  // of it

// What the picture leaves out, and what it cannot know; empty: nothing. A sentence each.
std::string lanes_notes(const model::Lanes& lanes);

}  // namespace tailcap::report
