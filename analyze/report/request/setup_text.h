// The connection setup before the first request, in words.
#pragma once

#include <string>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/study.h"

namespace tailcap::report {

// "name 51.2 ms (shop.test); connect 0.12 ms; TLS handshake 2.10 ms (TLS 1.3, …); begun 55.1 ms before the request, …".
// Empty: nothing is known. printable().
std::string setup_text(const model::RequestDetail& detail);
// For a route: "name 51.2 ms before 3 requests; connect 0.12 ms before 40 requests; …", medians. Empty: nothing is
// known.
std::string setup_text(const model::RouteStudy& route);

}  // namespace tailcap::report
