// Connections to ports that nothing beyond the machine should reach.
#pragma once

#include "analyze/audit/connections.h"
#include "analyze/audit/ends.h"
#include "analyze/model/audit/audit.h"

namespace tailcap::audit {

// Fills what the audit says of its exposed_ports.
void expose(const AuditedConnections& connections, const Ends& ends, model::audit::Audit& audit);

}  // namespace tailcap::audit
