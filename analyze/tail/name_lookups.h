// Adds up lookups by name and server.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/flow/lookup.h"
#include "analyze/flow/study.h"

namespace tailcap::tail {

class NameLookups {
 public:
  void add(const flow::Lookup& lookup);
  std::vector<flow::NameStudy> list() const;  // most first

 private:
  struct Sums {
    flow::NameStudy study;
    std::vector<std::int64_t> durations;
    std::map<std::string, std::uint64_t> results;
  };
  std::map<std::pair<std::string, std::string>, Sums> names_;  // name, server
};

}  // namespace tailcap::tail
