// Copies the facts of a message into its exchange.
#pragma once

#include "analyze/model/wire/exchange.h"

namespace tailcap::exchanges {

void copy_request(const model::Message& message, model::Exchange& exchange);
void copy_response(const model::Message& message, model::Exchange& exchange);

}  // namespace tailcap::exchanges
