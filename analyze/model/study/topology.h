// The services of a capture and the calls between them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::model {

struct TopologyNode {
  enum class Kind : std::uint8_t {
    service,  // recorded: processes of one name, and of one port where that distinguishes them
    callers,  // all callers that were not recorded
    address,  // called, and not recorded
  };
  Kind kind = Kind::service;
  std::string name;  // "nginx", "python3 :8001"; of an address "10.0.0.3:80"
  std::uint32_t processes = 0;
  std::string service{};  // of Kubernetes, at this address: "shop/stock"; empty: none is known
  std::string shown() const { return service.empty() ? name : service + " (" + name + ")"; }
};
constexpr std::string_view name_of(TopologyNode::Kind kind) {
  constexpr std::string_view names[] = {"service", "callers", "address"};
  return names[static_cast<std::size_t>(kind)];
}

struct TopologyCall {
  std::uint32_t from = 0, to = 0;  // nodes
  std::string protocol;            // "http/1.1", "grpc in TLS"; several: "http/1.1, grpc"
  // At least one in a hundred failed at the server or broke off; errors of the caller (4xx) do not count.
  bool failing() const {
    const std::uint64_t failed = calls.server_errors + calls.other_failures, all = calls.count + calls.incomplete;
    return failed > 0 && failed >= (all + 99) / 100;
  }
  RouteStudy calls;  // as recorded at the caller; otherwise at the callee
};

struct Topology {
  Time begin = formats::kNoTime, end = formats::kNoTime;  // of the requests' starts
  std::vector<TopologyNode> nodes;
  std::vector<TopologyCall> calls;  // the most first
  std::vector<std::uint32_t> of;    // by row of the table: the call that it belongs to, from 1; 0: none
};

}  // namespace tailcap::model
