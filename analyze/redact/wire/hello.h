// Replaces what may be secret in a TLS hello, in place.
#pragma once

#include <string>

#include "analyze/redact/wire/header_list.h"

namespace tailcap::redact::wire {

// `body`: a ClientHello or ServerHello without its header. Versions, cipher suites and the names of protocols are kept;
// words of server names are treated like those of hosts; session ids become keyed bytes, so that a resumed session is
// still recognised; all other contents become asterisks. A body that is malformed becomes asterisks from there on.
void redact_hello(std::string& body, bool client, const HeaderList& list);

}  // namespace tailcap::redact::wire
