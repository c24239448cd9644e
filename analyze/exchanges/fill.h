// Copies the facts of a message into its exchange.
#pragma once

#include "analyze/flow/exchange.h"

namespace tailcap::exchanges {

void copy_request(const flow::Message& message, flow::Exchange& exchange);
void copy_response(const flow::Message& message, flow::Exchange& exchange);

}  // namespace tailcap::exchanges
