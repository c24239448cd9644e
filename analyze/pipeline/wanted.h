// Which requests of a table are meant.
#pragma once

#include <optional>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::pipeline {

// A moment as a time of the capture whose study this is. Throws std::runtime_error where it is a time of day and the
// capture holds no reading of the wall clock.
formats::Time time_of(const Moment& moment, const model::Study& study);

// Those that begin in [from, to) and match all filters of `options`, which must outlive this. `study` is that of all
// requests.
class Wanted {
 public:
  Wanted(const Options& options, const model::Study& study);
  // When everything is known that filters can ask about. `whole` must outlive this.
  Wanted(const Options& options, const Analysis& whole);

  bool operator()(const model::RequestTable& table, std::uint32_t row) const;
  bool filters(const model::RequestTable& table, std::uint32_t row) const;  // whenever it began
  // Before everything is known: false where it is not wanted whatever its labels, its endpoints and the like are.
  bool perhaps(const model::RequestTable& table, std::uint32_t row) const;
  bool asks_what_comes_later() const;
  bool all() const { return !from_ && !to_ && options_.filters.empty(); }
  // The capture was cut, and this request is whole in it.
  bool of_cut() const { return cut_.has_value(); }
  bool in_cut(const model::RequestTable& table, std::uint32_t row) const;
  const std::optional<formats::Time>& from() const { return from_; }
  const std::optional<formats::Time>& to() const { return to_; }

 private:
  bool within(const model::RequestTable& table, std::uint32_t row) const;
  bool matches(const model::RequestTable& table, std::uint32_t row, bool all_known) const;

  const Options& options_;
  const model::WallClock clock_;
  const Analysis* whole_ = nullptr;
  std::optional<formats::Time> from_, to_;
  std::optional<std::vector<model::ExchangeId>> cut_;  // of a capture that was cut: no others read as they were
};

}  // namespace tailcap::pipeline
