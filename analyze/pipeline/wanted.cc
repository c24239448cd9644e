#include "analyze/pipeline/wanted.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "analyze/model/columns/column.h"
#include "analyze/model/columns/whole_row.h"
#include "analyze/model/study/cut_note.h"

namespace tailcap::pipeline {
namespace {

namespace columns = model::columns;

// It asks about what is only known when everything was read.
bool later(const query::Filter& filter) {
  return (filter.needs() & (columns::kAccount | columns::kEnds | columns::kSplit)) != 0;
}

}  // namespace

void add_known(columns::ColumnFacts& facts, const Analysis& whole) {
  facts.clock = &whole.study.quality.clock;
  if (facts.row.id.connection < whole.endpoints.size()) {
    const Endpoints& ends = whole.endpoints[facts.row.id.connection];
    facts.local = ends.local;
    facts.remote = ends.remote;
  }
  facts.split = whole.splits.find(facts.row.id);
}

formats::Time time_of(const Moment& moment, const model::Study& study) {
  if (moment.of_capture) return formats::time_from(moment.nanoseconds);
  if (!moment.absolute) return study.begin + formats::Duration{moment.nanoseconds};
  if (!study.quality.clock.known())
    throw std::runtime_error(
        "the capture holds no reading of the wall clock, so that times of day mean nothing in it. "
        "Give --from and --to as times since its start, like 10s.");
  return formats::time_from(moment.nanoseconds - study.quality.realtime_offset);
}

Wanted::Wanted(const Options& options, const model::Study& study) : options_(options), clock_(study.quality.clock) {
  if (options.from) from_ = time_of(*options.from, study);
  if (options.to) to_ = time_of(*options.to, study);
  if (options.past) from_ = std::max(from_.value_or(options.past->until), options.past->until);
  if (auto note = model::CutNote::from_notes(study.quality.preamble.notes)) cut_ = std::move(note->ids);
}

Wanted::Wanted(const Options& options, const Analysis& whole) : Wanted(options, whole.study) { whole_ = &whole; }

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

bool Wanted::asks_what_comes_later() const {
  return std::any_of(options_.filters.begin(), options_.filters.end(), later);
}

bool Wanted::perhaps(const model::RequestTable& table, std::uint32_t row) const {
  return within(table, row) && matches(table, row, false);
}

bool Wanted::filters(const model::RequestTable& table, std::uint32_t row) const { return matches(table, row, true); }

bool Wanted::matches(const model::RequestTable& table, std::uint32_t row, bool all_known) const {
  if (options_.filters.empty()) return true;
  const model::Request asked = model::whole_row(table, row);
  columns::ColumnFacts facts(table, asked);
  facts.clock = &clock_;
  if (whole_) add_known(facts, *whole_);
  return std::all_of(options_.filters.begin(), options_.filters.end(), [&](const query::Filter& f) {
    if (!all_known && later(f)) return true;
    assert(whole_ || (f.needs() & (columns::kEnds | columns::kSplit)) == 0);
    assert(options_.keep_splits || (f.needs() & columns::kSplit) == 0);
    return f.matches(facts);
  });
}

}  // namespace tailcap::pipeline
