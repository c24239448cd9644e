#include "analyze/pipeline/beginning.h"

#include <algorithm>
#include <chrono>

#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/pipeline/wire_pass.h"

namespace tailcap::pipeline {
namespace {

// What is reported of the time before is complete after kReportedLater: losses are counted after they happened.
constexpr formats::Duration kReportedLater = std::chrono::seconds{5};
constexpr std::uint64_t kMoreEvents = 2;  // times as many, where they did not decide
constexpr unsigned kMostTries = 3;
constexpr std::uint64_t kBetweenLooks = 200'000;  // events, at most; a look waits for the other thread

// Requests that begin before this time are over and will not change. all: sorted by start.
formats::Time decided_until(const model::Rows& all, formats::Time read, const Past* past) {
  const formats::Time settled = read - kReportedLater;
  for (const model::Request row : all) {
    if (row.start >= settled) break;
    const bool over = row.has_duration && row.start + row.duration < settled;
    // Reading on does not tell what came before on a connection that is joined in a window.
    const bool joined = past && past->partly.contains(row.id.connection);
    if (joined && (over || !formats::known(row.start) || row.id.index == past->number_before(row.id.connection) + 1))
      continue;
    if (!over || row.method == 0 || row.path == 0) return row.start;
  }
  return settled;
}

}  // namespace

Beginning::Beginning(const Options& options, Replay& replay)
    : options_(options),
      replay_(replay),
      before_(options.past ? options.past->left_behind : 0),
      least_(before_ + options.first_events) {}

bool Beginning::due() const {
  return options_.beginning && replay_.delivered() >= std::max(least_, next_look_) &&
         replay_.left() > options_.least_left;
}

void Beginning::look(WirePass& wire) {
  next_look_ = replay_.delivered() + std::min(kBetweenLooks, options_.first_events);
  if (enough(wire)) replay_.end_here();
}

bool Beginning::enough(WirePass& wire) {
  if (options_.first > 0) return true;  // which of the requests are meant is known later
  const auto end = needed(wire);
  return end && replay_.reached() - *end > kReportedLater;
}

// What begins before this time must be decided. Unset: it is not known yet.
std::optional<formats::Time> Beginning::needed(WirePass& wire) {
  if (options_.follow.connection == 0) {
    const model::Study known = wire.recording().so_far();
    if (!options_.to || (options_.to->absolute && !known.quality.clock.known())) return std::nullopt;
    return time_of(*options_.to, known);
  }
  const model::Rows& rows = wire.requests().table().rows;
  for (; !followed_ && looked_at_ < rows.size(); ++looked_at_)
    if (rows.id(looked_at_) == options_.follow && rows.has_duration(looked_at_) &&
        formats::known(rows.start(looked_at_)))
      followed_ = rows.start(looked_at_) + rows.duration(looked_at_);
  return followed_;
}

bool Beginning::decided(WirePass& wire) {
  if (!replay_.ends_early()) return true;
  const model::Rows& rows = wire.requests().table().rows;
  const formats::Time decided = decided_until(rows, replay_.reached(), options_.past);
  bool done = false;
  const bool bound = options_.partition ? wire.all_bound() : wire.requests().left_out() == 0;
  if (const auto end = needed(wire); bound) {
    done = end && *end <= decided;
    if (!done && options_.first > 0) {
      model::Study known = wire.recording().so_far();
      known.quality.preamble = replay_.preamble();  // of a cut capture: which requests it is about
      const Wanted wanted(options_, known);
      std::size_t found = 0;
      for (std::uint32_t i = 0; i < rows.size() && rows.start(i) < decided && !done; ++i)
        done = wanted(wire.requests().table(), i) && ++found == options_.first;
    }
  }
  if (done) return true;
  // Something that does not end, or a session that stays unbound, is in every beginning.
  const bool again = ++tries_ < kMostTries || !options_.partition;
  least_ = again ? before_ + kMoreEvents * (replay_.delivered() - before_) : UINT64_MAX;
  next_look_ = 0;
  looked_at_ = 0;
  followed_.reset();
  replay_.read_all();
  return false;
}

}  // namespace tailcap::pipeline
