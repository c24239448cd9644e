// Services of Kubernetes by the addresses at which they are called.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

namespace tailcap::model {

class ServiceNames {
 public:
  // endpoint: as captures write it, "10.96.0.5:80" or "[fd00::5]:80". name: "shop/stock".
  void add(std::string endpoint, std::string name) { names_.emplace(std::move(endpoint), std::move(name)); }
  // Empty: it is no Service's.
  std::string at(const std::string& endpoint) const {
    const auto found = names_.find(endpoint);
    return found == names_.end() ? std::string() : found->second;
  }
  std::size_t size() const { return names_.size(); }

 private:
  std::unordered_map<std::string, std::string> names_;
};

}  // namespace tailcap::model
