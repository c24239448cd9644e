// What held HTTP/2 requests up besides the service, and what became of them afterwards, in words.
#pragma once

#include <string>
#include <vector>

#include "analyze/report/request/waterfall.h"

namespace tailcap::report {

// Of one request: what it waited for, whether it was pushed, which attempt it is. Printable.
void add_held_up_facts(const flow::RequestDetail& detail, std::vector<QualityLine>& facts);
// The times for which the receiver of one of its messages had made no room. No bars: none, or not known.
Lane held_up_lane(const flow::RequestDetail& detail, Time zero);
// Of a route: "3 requests waited for the receiver's window, median 12.3 ms; …". Empty: nothing held them up.
std::string held_up_text(const flow::RouteStudy& route);

}  // namespace tailcap::report
