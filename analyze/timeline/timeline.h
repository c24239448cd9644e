// Splits an exchange into phases at its milestones. The phases sum to the duration exactly.
//
// Server: from the arrival of the request's first byte (or the read that took it: arrival_unknown) over the reads of
// its first and last byte and the sends of the response's first and last. Client: from the send of the request's first
// byte over the send of its last, the arrival and the read of the response's first byte to the read of its last. A send
// is stamped when it is done, which can be after the peer has answered; a response can begin before the request has
// ended. Milestones are therefore clamped to be monotone: a phase is never negative.
//
// first_byte is what the end itself experienced. Server: until the application sent the response's first byte. Client:
// until that byte arrived.
#pragma once

#include "analyze/model/request.h"
#include "analyze/model/wire/exchange.h"
#include "analyze/model/wire/findings.h"

namespace tailcap::timeline {

// Fills start, duration, first_byte, phases and their has_… flags; adds taints. Counts instants in impossible order.
void measure(const model::Exchange& exchange, model::Request& row, model::Findings& findings);

}  // namespace tailcap::timeline
