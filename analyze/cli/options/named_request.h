// A request as a person names it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analyze/model/wire/exchange.h"

namespace tailcap::cli {

// Whether the text names a request of some capture: "12.3", "slowest" or "@1".
bool names_request(std::string_view text);

// "12.3", the third on connection 12; "slowest", the first of the report's slowest requests; "@1", the example of the
// report's answer 1. Unset: it is none. The last two read the capture; where it has no such request, that is said in
// a std::runtime_error.
std::optional<model::ExchangeId> request_named(const std::string& file, const std::string& text);

}  // namespace tailcap::cli
