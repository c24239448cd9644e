// The header fields that gRPC writes (the protocol's own description: gRPC over HTTP/2).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "analyze/model/wire/message.h"

namespace tailcap::protocols::grpc {

// application/grpc, alone or with a +codec or ;parameter. gRPC-Web frames its trailers differently and is excluded.
bool is_grpc(std::string_view content_type);

// application/grpc-web and application/grpc-web-text (base64), alone or with a +codec or ;parameter.
enum class Web { no, binary, text };
Web web_kind(std::string_view content_type);

// Reads a request's timeout, and where its trace context is.
void read_request(const model::Message& message, model::GrpcFacts& facts);
// Reads grpc-status and grpc-message from headers or trailers.
void read_status(const model::Headers& from, model::GrpcFacts& facts);

// "10S", "500m", …: at most eight digits and a unit (H M S m u n). nullopt: malformed.
std::optional<model::Duration> parse_timeout(std::string_view text);

// "0" to "16", and any other number that fits; nullopt: malformed.
std::optional<int> parse_status(std::string_view text);

// Converts %XX to bytes; an invalid escape stays as it is, as the protocol demands.
std::string percent_decode(std::string_view text);

}  // namespace tailcap::protocols::grpc
