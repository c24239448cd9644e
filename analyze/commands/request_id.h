// The number of a request as a person types it.
#pragma once

#include <optional>
#include <string>

#include "analyze/flow/exchange.h"

namespace tailcap::commands {

// "12.3", the third on connection 12; unset: it is none.
std::optional<flow::ExchangeId> parse_id(const std::string& text);

}  // namespace tailcap::commands
