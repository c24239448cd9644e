// Counts the series of a text of metrics, exactly while they fit into memory.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyze/model/series/census.h"
#include "analyze/series/hyperloglog.h"
#include "analyze/series/openmetrics_text.h"

namespace tailcap::series {

class SeriesCounter {
 public:
  static constexpr std::size_t kMostSeries = 2'000'000;     // that are counted exactly
  static constexpr std::size_t kMostBytes = 512u << 20;     // of their texts and numbers
  static constexpr std::size_t kMostDimensionNames = 1024;  // with more, only estimates are known

  explicit SeriesCounter(std::size_t most = kMostSeries) : most_(most) {}
  SeriesCounter(const SeriesCounter&) = delete;
  SeriesCounter& operator=(const SeriesCounter&) = delete;

  void add(const MetricSample& sample);
  // All lines of a text.
  void add_text(std::string_view text);
  // What was counted; where a limit is given, with the steps that keep it.
  model::Census census(std::optional<std::uint64_t> limit) const;

 private:
  using Number = std::uint32_t;
  // A series as numbers: its metric, then a dimension and a value each, by dimension.
  using Key = std::vector<Number>;
  // What changes are made: by dimension, bits of SeriesChange.
  using Changes = std::map<Number, unsigned>;

  Number number_of(const std::string& text);
  Key key_of(std::size_t series) const;
  Key changed(const Key& key, const Changes& changes) const;
  model::ChangeEffect effect_of(const Changes& changes, model::SeriesChange last) const;
  Number without_numbers(Number value) const;
  void add_steps(model::Census& out) const;
  void add_dimensions(model::Census& out) const;

  const std::size_t most_;
  std::unordered_map<std::string, Number> numbers_;
  std::vector<const std::string*> texts_;                        // keys of numbers_
  std::vector<Number> parts_;                                    // of all series
  std::vector<std::uint64_t> begins_;                            // of each in parts_
  std::unordered_multimap<std::uint64_t, std::uint32_t> known_;  // by hash
  std::size_t bytes_held_ = 0;
  bool full_ = false;
  HyperLogLog all_;
  std::map<Number, HyperLogLog> values_;  // by dimension
  std::map<Number, std::string> names_;
  std::uint64_t samples_ = 0, repeated_ = 0, unread_ = 0, bytes_ = 0;
  std::int64_t latest_ = 0;
  mutable std::unordered_map<Number, Number> plain_;  // values without their numbers
  mutable std::unordered_map<std::string, Number> plain_numbers_;
};

}  // namespace tailcap::series
