// Whether an end or a connection is what a policy describes: yes, no, or not known.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/audit/connections.h"
#include "analyze/audit/tri.h"
#include "analyze/model/audit/audit.h"
#include "analyze/model/audit/network_policy.h"

namespace tailcap::audit {

class Matching {
 public:
  explicit Matching(const model::audit::Pods& pods) : pods_(pods) {}

  // What is not known, where the answer is unknown, is added to missing.
  Tri matches(const model::audit::Peer& peer, const Who& who, model::audit::MissingSet& missing) const;
  Tri matches(const model::audit::NetworkRule& rule, const Who& client, const Who& server, std::uint16_t port,
              model::audit::MissingSet& missing) const;

 private:
  Tri in_pod(const model::audit::Peer& peer, const Who& who, model::audit::MissingSet& missing) const;
  Tri any(const std::vector<model::audit::Peer>& peers, const Who& who, model::audit::MissingSet& missing) const;

  const model::audit::Pods& pods_;
};

}  // namespace tailcap::audit
