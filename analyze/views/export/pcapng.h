// The bytes of TCP connections as packets, the plaintext of TLS sessions in place of what was encrypted; a comment
// names the request that begins in a packet.
#pragma once

#include "analyze/views/export/exported.h"

namespace tailcap::views {

Exported export_pcapng(const std::string& file, const pipeline::Options& chosen, std::string_view version,
                       const Write& write);

}  // namespace tailcap::views
