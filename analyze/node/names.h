// The names of processes, as far as events hold them.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "formats/event_names.h"

namespace tailcap::node {

class ProcessNames {
 public:
  static constexpr std::size_t kMaxNames = 256u << 10;  // later ones are not known

  void push(const formats::Event& event);
  const std::string& of(std::uint32_t pid) const;  // empty: not known

 private:
  std::unordered_map<std::uint32_t, std::string> names_;
};

}  // namespace tailcap::node
