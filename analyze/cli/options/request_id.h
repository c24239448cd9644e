// The number of a request as a person types it.
#pragma once

#include <optional>
#include <string>

#include "analyze/model/wire/exchange.h"

namespace tailcap::cli {

// "12.3", the third on connection 12; unset: it is none.
std::optional<model::ExchangeId> parse_id(const std::string& text);

// Say that `name` is none, or that the file has no such request. Return the exit code.
int no_id(const char* command, const std::string& file, const std::string& name);
int no_request(const char* command, const std::string& file, const std::string& name);

}  // namespace tailcap::cli
