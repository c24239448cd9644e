// Connections of recorded ends: the two ends of one are joined, and each end is somebody.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "analyze/audit/ends.h"
#include "analyze/audit/tri.h"
#include "analyze/model/audit/address.h"
#include "analyze/model/audit/pods.h"

namespace tailcap::audit {

// What is known of the end of a connection, without its port. Empty: not known.
struct Who {
  std::optional<model::IpAddress> address;
  bool recorded = false;
  std::string process;
  Tri in_pod = Tri::unknown;
  std::string name_space, pod;
  std::optional<std::size_t> listed;  // in Pods

  auto operator<=>(const Who&) const = default;
};

// client: the end that connected. Where it is not directed, that is not known: client is the recorded end.
struct AuditedConnection {
  std::size_t client = 0, server = 0;  // in AuditedConnections::who
  std::uint16_t client_port = 0, server_port = 0;
  bool directed = true;
  bool established = false;
  Time first = formats::kNoTime;
  // The network namespaces; 0: that end was not recorded.
  std::uint32_t client_namespace = 0, server_namespace = 0;
};

struct AuditedConnections {
  std::vector<Who> who;
  std::vector<AuditedConnection> all;  // in order of time
};

// pods: see --pods.
AuditedConnections connections_of(std::vector<AuditedEnd> ends, const model::Processes& processes,
                                  const model::Containers& containers, const model::audit::Pods& pods);

}  // namespace tailcap::audit
