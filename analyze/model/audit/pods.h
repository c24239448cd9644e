// What is said of pods beside the capture: which addresses and labels they have.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/audit/address.h"

namespace tailcap::model::audit {

using Labels = std::map<std::string, std::string>;

struct Pod {
  std::string name, name_space;
  std::vector<IpAddress> addresses;
  Labels labels;
};

struct Pods {
  std::vector<Pod> pods;
  std::map<std::string, Labels> namespaces;  // by name
  bool complete = false;                     // an address that is not listed is not a pod's

  std::map<IpAddress, std::size_t> by_address;                         // in pods
  std::map<std::pair<std::string, std::string>, std::size_t> by_name;  // namespace and name

  std::optional<std::size_t> find(const IpAddress& address) const {
    const auto found = by_address.find(address);
    return found == by_address.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<std::size_t> find(const std::string& name_space, const std::string& name) const {
    const auto found = by_name.find({name_space, name});
    return found == by_name.end() ? std::nullopt : std::optional(found->second);
  }
};

}  // namespace tailcap::model::audit
