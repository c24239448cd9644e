// Network policies held against the connections of a capture.
#pragma once

#include <vector>

#include "analyze/audit/ends.h"
#include "analyze/model/audit/audit.h"
#include "analyze/model/audit/pods.h"

namespace tailcap::audit {

struct AuditQuestion {
  std::vector<model::audit::NetworkPolicy> policies;
  model::audit::ConnectionVerdict otherwise =
      model::audit::ConnectionVerdict::allowed;  // of connections that no policy selects
  std::vector<model::audit::PortRange> exposed_ports;
};

// ends: all events were pushed; its connections are taken.
model::audit::Audit audit(AuditQuestion question, const model::audit::Pods& pods, Ends& ends);

}  // namespace tailcap::audit
