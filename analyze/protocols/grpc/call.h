// What gRPC writes into header fields (the protocol's own description: gRPC over HTTP/2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analyze/flow/byte_run.h"

namespace tailcap::protocols::grpc {

// application/grpc, alone or with a +codec or ;parameter. gRPC-Web frames its trailers otherwise and is not meant.
bool is_grpc(std::string_view content_type);

// "10S", "500m", …: at most eight digits and a unit (H M S m u n). nullopt: malformed.
std::optional<flow::Duration> parse_timeout(std::string_view text);

// "0" to "16", and any other number that fits; nullopt: malformed.
std::optional<int> parse_status(std::string_view text);

// %XX to bytes; what is not a valid escape stays as it is, as the protocol demands.
std::string percent_decode(std::string_view text);

}  // namespace tailcap::protocols::grpc
