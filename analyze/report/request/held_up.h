// What delayed HTTP/2 requests besides the service, and their outcome, in words.
#pragma once

#include <string>
#include <vector>

#include "analyze/report/request/waterfall.h"

namespace tailcap::report {

// Adds the facts of one request: what it waited for, whether it was pushed, which attempt it is. Printable.
void add_held_up_facts(const model::RequestDetail& detail, std::vector<FactLine>& facts);
// The times at which the receiver of one of its messages had an exhausted window. No bars: none, or not known.
WaterfallLane held_up_lane(const model::RequestDetail& detail, Time zero);
// For a route: "3 requests waited for the receiver's window, median 12.3 ms; …". Empty: no request was delayed.
std::string held_up_text(const model::RouteStudy& route);

}  // namespace tailcap::report
