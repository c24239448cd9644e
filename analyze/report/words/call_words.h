// The codes of gRPC and HTTP/2 in text for people.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/wire/grpc.h"
#include "analyze/model/wire/stream_facts.h"

namespace tailcap::report {

// "OK", "NOT_FOUND (5)", "status 99".
std::string status_text(int grpc_status);
std::string_view text_of(model::GrpcCause cause);  // empty for unknown

// What HTTP/2 calls its error codes: "CANCEL (8)"; "code not captured".
std::string reset_code_text(const model::StreamReset& reset);

}  // namespace tailcap::report
