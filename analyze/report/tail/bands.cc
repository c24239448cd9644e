#include "analyze/report/tail/bands.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "analyze/model/figure/figure.h"
#include "analyze/model/label_group.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

std::string band_share(double share) {
  const auto tenths = std::llround(share * 1000);
  std::string text = std::to_string(tenths / 10);
  if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
  return text;
}

Duration rounded_time(double ns) { return Duration{std::llround(std::clamp(ns, -9e18, 9e18))}; }

void add_row(std::vector<BandRow>& rows, std::string_view name, std::string_view colour, std::vector<BandCell> cells) {
  if (std::ranges::all_of(cells, [](const BandCell& c) { return c.mean == 0; })) return;
  rows.push_back({std::string(name), std::string(colour), std::move(cells)});
}

double total(const model::Band& band) { return std::accumulate(band.phases.begin(), band.phases.end(), 0.0); }

std::int64_t label_time(const model::LabelBand& band, model::Label label) {
  for (const auto& [name, time] : band.labels)
    if (name == label) return time;
  return 0;
}

void add_labels(BandTable& table, const model::TailStudy& tail) {
  for (const auto& band : tail.bands) {
    table.labelled_counts.push_back(band.count);
    table.labelled_means.push_back(Duration{band.mean});
  }
  for (std::size_t i = 0; i < model::kLabels; ++i) {
    const auto label = static_cast<model::Label>(i);
    std::vector<BandCell> cells;
    for (const auto& band : tail.bands) {
      const auto time = static_cast<double>(label_time(band, label));
      cells.push_back({time, band.mean > 0 ? time / static_cast<double>(band.mean) : 0});
    }
    add_row(table.labels, model::text_of(label), model::colour_of(model::group_of(label)), std::move(cells));
  }
}

// The entry that grew most between two bands.
template <typename Array>
std::size_t most_grown(const Array& fast, const Array& slow) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < slow.size(); ++i)
    if (slow[i] - fast[i] > slow[best] - fast[best]) best = i;
  return best;
}

}  // namespace

std::string band_name(const model::Band& band) {
  if (band.from <= 0 && band.to >= 1) return "all";
  if (band.from <= 0) return "fastest " + band_share(band.to) + " %";
  if (band.to >= 1) return "slowest " + band_share(1 - band.from) + " %";
  return band_share(band.from) + "–" + band_share(band.to) + " %";
}

BandTable band_table(const model::RouteStudy& route) {
  BandTable table;
  for (const auto& band : route.bands) {
    table.names.push_back(band_name(band));
    table.counts.push_back(band.count);
    table.means.push_back(band.mean);
  }
  const auto phases = model::phases_of(route.role);
  for (std::size_t i = 0; i < phases.size(); ++i) {
    std::vector<BandCell> cells;
    for (const auto& band : route.bands)
      cells.push_back({band.phases[i], total(band) > 0 ? band.phases[i] / total(band) : 0});
    add_row(table.phases, model::text_of(phases[i]), model::colour_of(phases[i]), std::move(cells));
  }
  if (route.tail) add_labels(table, *route.tail);
  return table;
}

std::string difference_text(const model::RouteStudy& route) {
  if (route.bands.size() < 2) return {};
  const auto& fast = route.bands.front();
  const auto& slow = route.bands.back();
  // The slowest 1 % are those beyond p99.
  for (const auto& q : route.latency)
    if (q.q <= slow.from && q.q >= fast.to && q.support == model::Support::refused) return {};
  const double more = total(slow) - total(fast);
  if (fast.count == 0 || slow.count == 0 || more <= 0) return {};
  const std::size_t phase = most_grown(fast.phases, slow.phases);
  const double in_phase = slow.phases[phase] - fast.phases[phase];
  std::string text = "The " + band_name(slow) + " take " + duration_text(rounded_time(more)) + " longer than the " +
                     band_name(fast) + " on average; " + duration_text(rounded_time(in_phase)) + " (" +
                     share_text(in_phase, more) + ") of that " +
                     std::string(model::text_of(model::phases_of(route.role)[phase])) + ".";
  return text;
}

std::string doubt_text(const model::RouteStudy& route) {
  std::uint64_t in_bands = 0;
  for (const auto& band : route.bands) in_bands += band.count;
  if (in_bands == 0 || in_bands >= route.count) return {};
  return "Only the " + count_text(in_bands, "request", "requests") +
         " whose duration is in no doubt: " + count_text(route.count - in_bands) +
         " more may be slower than any of these.";
}

}  // namespace tailcap::report
