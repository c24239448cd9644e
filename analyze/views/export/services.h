// The service of each request of a capture, of a bounded number of services.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

// Where processes are not known, names are what requests name, and anybody may send requests.
class ExportedServices {
 public:
  static constexpr std::size_t kMost = 1000;

  // The analysis must outlive this.
  explicit ExportedServices(const pipeline::Analysis& analysis) : analysis_(analysis) {}
  std::string_view of(std::uint32_t row);           // "other": of those beyond the first
  std::uint64_t others() const { return others_; }  // requests

 private:
  const pipeline::Analysis& analysis_;
  std::set<std::string_view> names_;
  std::uint64_t others_ = 0;
};

}  // namespace tailcap::views
