// Samples of a text in the format of OpenMetrics or of Prometheus. Hostile: every length is bounded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailcap::series {

struct MetricSample {
  std::string name;                                             // of the metric, with its suffix
  std::vector<std::pair<std::string, std::string>> dimensions;  // by name; values without their escapes
  std::optional<std::int64_t> time;                             // ns since 1970
};

inline constexpr std::size_t kLongestSample = 64u << 10;  // bytes of a line
inline constexpr std::size_t kMostDimensions = 128;       // of a sample

enum class SampleLine : std::uint8_t { sample, comment, unread };
// One line, without its end. unread: it is no sample, or longer than that; `out` is then undefined. seconds: times are
// seconds, as in OpenMetrics; otherwise milliseconds, as in Prometheus' format.
SampleLine read_sample(std::string_view line, bool seconds, MetricSample& out);

}  // namespace tailcap::series
