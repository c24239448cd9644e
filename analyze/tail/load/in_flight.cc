#include <algorithm>
#include <bit>
#include <cmath>
#include <map>

#include "analyze/tail/load/load_study.h"
#include "analyze/tail/rows/standing.h"
#include "ground/memory.h"
#include "ground/number_sort.h"

namespace tailcap::tail::load {
namespace {

using formats::known;
using formats::nanoseconds;
using model::Duration;

constexpr double kLittleTolerance = 0.05;
constexpr std::uint64_t kLeastForLittle = 100;  // requests

}  // namespace

std::vector<model::InFlightBand> in_flight_bands(const model::RequestTable& table,
                                                 const std::vector<std::uint32_t>& rows) {
  const auto each = [&](auto act) {
    for (const std::uint32_t i : rows)
      if (known(table.rows.start(i)) && table.rows.has_duration(i))
        act(nanoseconds(table.rows.start(i)), table.rows.duration(i).count());
  };
  std::vector<std::int64_t> ends;
  ends.reserve(rows.size());
  each([&](std::int64_t start, std::int64_t duration) { ends.push_back(start + duration); });
  ground::sort_numbers(ends);
  // rows are in order of start
  std::vector<std::uint8_t> band_of;  // 1, 2, 3–4, 5–8, …
  band_of.reserve(ends.size());
  std::map<std::uint8_t, std::size_t> sizes;
  std::size_t over = 0;
  each([&](std::int64_t start, std::int64_t) {
    const std::size_t i = band_of.size();
    while (over < ends.size() && ends[over] <= start) ++over;
    // A request of no length may be over before it began by this count.
    const std::size_t in_flight = std::max<std::size_t>(1, i + 1 - std::min(over, i));
    ++sizes[band_of.emplace_back(static_cast<std::uint8_t>(std::bit_width(in_flight - 1)))];
  });
  ground::release(ends);
  std::map<std::uint8_t, std::vector<std::int64_t>> durations;  // by band
  for (const auto& [band, size] : sizes) durations[band].reserve(size);
  std::size_t at = 0;
  each([&](std::int64_t, std::int64_t duration) { durations[band_of[at++]].push_back(duration); });
  std::vector<model::InFlightBand> out;
  for (auto& entry : durations) {
    const std::uint8_t band = entry.first;
    std::vector<std::int64_t>& values = entry.second;
    ground::sort_numbers(values);
    const auto at_share = [&](double q) {
      return Duration{values[static_cast<std::size_t>(std::ceil(q * static_cast<double>(values.size()) - 1e-9)) - 1]};
    };
    model::InFlightBand b;
    b.from = band == 0 ? 1 : (1u << (band - 1)) + 1;
    b.to = 1u << band;
    b.count = values.size();
    b.median = at_share(0.5);
    b.p95 = at_share(0.95);
    out.push_back(b);
  }
  return out;
}

model::LittleCheck little_check(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                                formats::Time begin, formats::Time end) {
  model::LittleCheck out;
  const double length = static_cast<double>((end - begin).count());
  if (!(length > 0)) return out;
  const std::int64_t from = nanoseconds(begin), to = nanoseconds(end);
  double busy = 0, durations = 0;
  std::uint64_t began = 0, timed = 0;
  for (const std::uint32_t i : rows) {
    const formats::Time began_at = table.rows.start(i);
    if (!known(began_at) || began_at < begin || began_at > end) continue;
    ++began;
    const std::int64_t start = nanoseconds(began_at);
    const bool ended = table.rows.has_duration(i);
    const std::int64_t duration = ended ? table.rows.duration(i).count() : 0;
    const std::int64_t reset_after = ended ? -1 : table.rows[i].reset_after;
    const std::int64_t stop = ended                                                       ? start + duration
                              : reset_after >= 0                                          ? start + reset_after
                              : standing_of(table.rows, i) == DurationStanding::in_flight ? to
                                                                                          : start;
    busy += static_cast<double>(std::min(stop, to) - std::max(start, from));
    if (!ended) continue;
    ++timed;
    durations += static_cast<double>(duration);
  }
  if (timed == 0) return out;
  out.in_flight = busy / length;
  out.expected = static_cast<double>(began) / length * durations / static_cast<double>(timed);
  out.holds = timed < kLeastForLittle || std::abs(out.in_flight - out.expected) <= kLittleTolerance * out.expected;
  return out;
}

}  // namespace tailcap::tail::load
