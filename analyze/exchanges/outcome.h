// The outcome of a request, and its instants in a possible order.
#pragma once

#include "analyze/exchanges/conversation.h"

namespace tailcap::exchanges {

// No response will come: the exchange ends with its request.
void settle_unanswered(ExchangeDraft& draft, const model::Message& request);

// From here on the connection carries something else.
bool upgraded(const model::Exchange& exchange);

// Sets outcome and complete, and taints that follow from the ends.
void settle_outcome(ExchangeDraft& draft);

// Clamps instants that contradict each other. True if that was more than the stamp of a send coming late.
bool straighten(model::Exchange& exchange);

}  // namespace tailcap::exchanges
