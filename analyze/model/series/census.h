// The series of metrics: how many there are, which dimensions make them many, and how they become fewer.
//
// A series is what a metric is counted for: its name and the values of its dimensions, which OpenMetrics calls labels.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::model {

// A number of different things, exact and as HyperLogLog estimates it.
struct Distinct {
  std::uint64_t exact = 0, estimate = 0;
};

// What can be done to a dimension.
enum class SeriesChange : std::uint8_t {
  drop,             // it is left out
  without_numbers,  // digits, and hexadecimal ids, in its values become {}
};
inline constexpr std::size_t kSeriesChanges = 2;
std::string_view name_of(SeriesChange change);  // "drop", "without_numbers"

// What comes of it. Series that become one are merged: what they counted can only be added up afterwards.
struct ChangeEffect {
  SeriesChange change = SeriesChange::drop;
  std::uint64_t series = 0;      // of all metrics, afterwards
  std::uint64_t merged = 0;      // series that are not alone afterwards
  std::uint64_t bytes_less = 0;  // of the text
  bool injective() const { return merged == 0; }
};

struct Dimension {
  std::string name;
  Distinct values;
  std::uint64_t metrics = 0;  // that have it
  std::uint64_t series = 0;   // that have it
  double entropy = 0;         // of its values, weighted by series; bits
  double evenness =
      0;  // its share of the largest that this number of values can have: 0 to 1; 1: all are equally frequent
  std::string most_frequent;
  std::uint64_t of_most_frequent = 0;  // series
  std::vector<ChangeEffect> effects;   // those that change something
};

struct CountedMetric {
  std::string name;
  std::uint64_t series = 0;
};

// A step of those that bring the series down to a limit.
struct SeriesStep {
  std::string dimension;
  ChangeEffect effect;  // after this step and those before it
};

struct Census {
  std::string file;
  std::int64_t at = 0;         // ns since 1970 when it was taken
  bool at_of_samples = false;  // that is the latest time of its samples; otherwise that of the file
  Distinct series;
  std::uint64_t samples = 0, repeated = 0;  // lines with a value; those of a series that was there before
  std::uint64_t unread = 0;                 // lines that are no samples
  std::uint64_t bytes = 0;
  bool exact = true;                   // false: there are more series than are kept, and only estimates are known
  std::vector<CountedMetric> metrics;  // most first
  std::vector<Dimension> dimensions;   // by values, most first
  std::optional<std::uint64_t> limit;  // that was asked for
  std::vector<SeriesStep> steps;       // to keep it; none: it is kept
  bool reachable = true;               // the steps are enough
};

// How the number of series changes from file to file.
struct SeriesGrowth {
  std::uint64_t first = 0, last = 0;  // series
  std::int64_t from = 0, to = 0;      // ns since 1970
  double each_hour = 0;               // by a line through all files
  std::optional<double> lead;         // hours until the limit is reached at this rate; unset: never, or no limit
  std::string dimension;              // whose values grew most; empty: none grew
  std::uint64_t values_before = 0, values_after = 0;
};

}  // namespace tailcap::model
