// Lanes as a picture, an SVG that needs nothing else, or a part of a page; and as JSON.
#pragma once

#include <optional>
#include <string>

#include "analyze/flow/lanes.h"

namespace tailcap::report {

struct LanesPicture {
  flow::Time zero = flow::kNoTime;         // where the axis says 0: a request's beginning, the recording's
  flow::Time marked_from = flow::kNoTime;  // shaded: a request; kNoTime: nothing
  flow::Time marked_to = flow::kNoTime;
  bool alone = true;  // a document, with a background of its own
};

std::string lanes_svg(const flow::Lanes& lanes, const LanesPicture& how);

// One line; docs/JSON.md describes it.
std::string lanes_json(const flow::Lanes& lanes, flow::Time zero);

// What the picture leaves out, and what it cannot know; empty: nothing. A sentence each.
std::string lanes_notes(const flow::Lanes& lanes);

}  // namespace tailcap::report
