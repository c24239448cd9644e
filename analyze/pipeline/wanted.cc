#include "analyze/pipeline/wanted.h"

#include <algorithm>
#include <stdexcept>

#include "analyze/model/study/cut_note.h"
#include "analyze/pipeline/whole_row.h"

namespace tailcap::pipeline {

formats::Time time_of(const Moment& moment, const model::Study& study) {
  if (moment.of_capture) return formats::time_from(moment.nanoseconds);
  if (!moment.absolute) return study.begin + formats::Duration{moment.nanoseconds};
  if (!study.quality.clock.known())
    throw std::runtime_error(
        "the capture holds no reading of the wall clock, so that times of day mean nothing in it. "
        "Give --from and --to as times since its start, like 10s.");
  return formats::time_from(moment.nanoseconds - study.quality.realtime_offset);
}

Wanted::Wanted(const Options& options, const model::Study& study) : options_(options) {
  if (options.from) from_ = time_of(*options.from, study);
  if (options.to) to_ = time_of(*options.to, study);
  if (options.past) from_ = std::max(from_.value_or(options.past->until), options.past->until);
  if (auto note = model::CutNote::from_notes(study.quality.preamble.notes)) cut_ = std::move(note->ids);
}

bool Wanted::in_cut(const model::RequestTable& table, std::uint32_t row) const {
  return !cut_ || std::binary_search(cut_->begin(), cut_->end(), table.rows.id(row));
}

bool Wanted::within(const model::RequestTable& table, std::uint32_t row) const {
  if (!in_cut(table, row)) return false;
  const formats::Time start = table.rows.start(row);
  if ((from_ || to_) && !formats::known(start)) return false;
  return (!from_ || start >= *from_) && (!to_ || start < *to_);
}

bool Wanted::operator()(const model::RequestTable& table, std::uint32_t row) const {
  return within(table, row) && filters(table, row);
}

bool Wanted::by_labels() const {
  return std::any_of(options_.filters.begin(), options_.filters.end(),
                     [](const query::Filter& f) { return f.needs_account(); });
}

bool Wanted::perhaps(const model::RequestTable& table, std::uint32_t row) const {
  return within(table, row) && matches(table, row, false);
}

bool Wanted::filters(const model::RequestTable& table, std::uint32_t row) const { return matches(table, row, true); }

bool Wanted::matches(const model::RequestTable& table, std::uint32_t row, bool labels) const {
  if (options_.filters.empty()) return true;
  const model::Request asked = whole_row(table, row);
  return std::all_of(options_.filters.begin(), options_.filters.end(), [&](const query::Filter& f) {
    return (!labels && f.needs_account()) || f.matches(asked, table.texts);
  });
}

}  // namespace tailcap::pipeline
