// Adds up lookups by name and server.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/model/wire/lookup.h"

namespace tailcap::tail {

class NameLookups {
 public:
  void add(const model::Lookup& lookup);
  std::vector<model::NameStudy> list() const;  // most first

 private:
  struct Sums {
    model::NameStudy study;
    std::vector<std::int64_t> durations;
    std::map<std::string, std::uint64_t> results;
  };
  std::map<std::pair<std::string, std::string>, Sums> names_;  // name, server
};

}  // namespace tailcap::tail
