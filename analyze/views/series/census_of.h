// The series of a capture's metrics, or of a text of metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "analyze/model/series/census.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

struct CountedSeries {
  model::Census census;
  bool damaged = false;              // the capture is incomplete
  std::uint64_t bytes_left_out = 0;  // of a text
};

// limit: series that there may be at most. Throws std::runtime_error or std::system_error: it cannot be read.
CountedSeries census_of(const std::string& file, const pipeline::Options& options, std::optional<std::uint64_t> limit);

}  // namespace tailcap::views
