// What ends and connections are called.
#pragma once

#include <vector>

#include "analyze/audit/connections.h"
#include "analyze/model/audit/audit.h"

namespace tailcap::audit {

model::audit::Named named(const Who& who);
model::audit::Example example_of(const AuditedConnection& connection, const std::vector<Who>& who);

}  // namespace tailcap::audit
