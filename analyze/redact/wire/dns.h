// Replaces names and addresses in a message of a name server, in place.
#pragma once

#include <string>

#include "analyze/redact/wire/header_list.h"

namespace tailcap::redact::wire {

// Labels are treated like words of a host; addresses become pseudonyms where the level says so; all other contents of
// records become asterisks. False: the message is malformed, and nothing of it may be kept.
bool redact_dns(std::string& message, const HeaderList& list);

}  // namespace tailcap::redact::wire
