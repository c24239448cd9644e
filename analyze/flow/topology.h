// Who calls whom: the services of a capture and the calls between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/flow/study.h"

namespace tailcap::flow {

struct TopologyNode {
  enum class Kind : std::uint8_t {
    service,  // recorded: processes of one name, and of one port where that tells them apart
    callers,  // whoever called from where nothing was recorded
    address,  // called, and not recorded
  };
  Kind kind = Kind::service;
  std::string name;         // "nginx", "python3 :8001"; of an address "10.0.0.3:80"
  std::uint32_t processes = 0;
};

struct TopologyCall {
  std::uint32_t from = 0, to = 0;  // nodes
  RouteStudy calls;                // as the caller saw them; where it was not recorded, as the callee did
};

struct Topology {
  std::vector<TopologyNode> nodes;
  std::vector<TopologyCall> calls;  // the most first
};

}  // namespace tailcap::flow
