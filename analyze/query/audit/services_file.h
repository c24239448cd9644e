// Services of Kubernetes (v1), as `kubectl get services -o yaml` and `-o json` print them.
#pragma once

#include <string_view>

#include "analyze/model/machine/service_names.h"

namespace tailcap::query {

inline constexpr std::size_t kMostServices = 10'000, kMostServiceEndpoints = 100'000;

// One document or several, each a Service or a List of them, with their cluster, external and load balancers'
// addresses. Headless Services have no address. Throws YamlError (yaml.h).
model::ServiceNames services_of(std::string_view yaml);

}  // namespace tailcap::query
