// What a request's span is called and what is said of it, in the names of OpenTelemetry's stable semantic conventions
// for HTTP and those for RPC; what they have no name for begins with "tailcap.".
#pragma once

#include "analyze/model/request.h"
#include "analyze/model/trace/span.h"
#include "analyze/spans/ends.h"

namespace tailcap::spans {

// Sets name, kind, attributes and status.
void describe(const model::RequestTable& table, const model::Request& row, const EndpointTexts& ends,
              model::Span& span);

}  // namespace tailcap::spans
