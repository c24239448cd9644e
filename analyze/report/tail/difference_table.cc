#include "analyze/report/tail/difference_table.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/label_group.h"
#include "analyze/model/statistics/whole_parts.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report::tail {
namespace {

using model::LabelDifference;
using model::TailStudy;

constexpr double kLeastGap = 0.05;  // of the mean of the slow ones
constexpr double kShown = 0.01;     // of the gap, or of the slow mean; less is summed up

// The unit and decimals that give `scale` three digits.
struct Grid {
  std::string unit;
  std::int64_t step = 1;  // ns
  int decimals = 0;

  explicit Grid(std::int64_t scale) {
    const std::string text = duration_text(Duration{scale});
    unit = text.substr(text.rfind(' ') + 1);
    step = unit == "ns" ? 1 : unit == "µs" ? 1'000 : unit == "ms" ? 1'000'000 : 1'000'000'000;
    if (unit == "min") unit = "s";  // "2 min 05 s" ends in s already
    const auto point = text.find('.');
    if (point != text.npos) decimals = static_cast<int>(text.find(' ') - point - 1);
    for (int i = 0; i < decimals; ++i) step /= 10;
  }
  std::string text(std::int64_t steps) const {
    std::string digits = std::to_string(steps < 0 ? -steps : steps);
    if (decimals > 0) {
      const auto places = static_cast<std::size_t>(decimals);
      if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
      digits.insert(digits.size() - places, 1, '.');
    }
    return (steps < 0 ? "-" : "") + digits;
  }
  std::string nearest(std::int64_t ns) const {
    return text(std::llround(static_cast<double>(ns) / static_cast<double>(step)));
  }
};

std::vector<std::int64_t> rounded(const std::vector<std::int64_t>& ns, const Grid& grid) {
  std::vector<double> values;
  for (const std::int64_t n : ns) values.push_back(static_cast<double>(n) / static_cast<double>(grid.step));
  return model::whole_parts(values);
}

std::string counted(std::uint64_t part, std::uint64_t whole) {
  return part == 0 ? "–" : ground::share_text(part, whole);
}

std::string notes_of(const LabelDifference& d) {
  std::string out;
  if (2 * d.slow_inferred > d.slow) out += out.empty() ? "inferred" : ", inferred";
  if (2 * d.slow_sampled > d.slow) out += out.empty() ? "sampled" : ", sampled";
  return out;
}

}  // namespace

DifferenceTable difference_table(const TailStudy& study) {
  const Grid grid(study.slow_mean);
  const double gap = static_cast<double>(std::max<std::int64_t>(std::llabs(study.gap()), 1)),
               mean = static_cast<double>(study.slow_mean);
  std::vector<const LabelDifference*> shown;
  LabelDifference others;
  std::size_t small = 0;
  for (const LabelDifference& d : study.labels) {
    if (std::abs(static_cast<double>(d.difference())) >= kShown * gap ||
        static_cast<double>(std::max(d.slow, d.typical)) >= kShown * mean) {
      shown.push_back(&d);
    } else {
      others.slow += d.slow;
      others.typical += d.typical;
      others.slow_dominant += d.slow_dominant;
      ++small;
    }
  }
  const bool rest = small > 0;
  std::vector<std::int64_t> slow, typical;
  for (const auto* d : shown) {
    slow.push_back(d->slow);
    typical.push_back(d->typical);
  }
  if (rest) {
    slow.push_back(others.slow);
    typical.push_back(others.typical);
  }
  const auto slow_steps = rounded(slow, grid), typical_steps = rounded(typical, grid);

  // Shares of next to nothing are absurd.
  const bool shares = static_cast<double>(study.gap()) >= kLeastGap * mean;
  DifferenceTable table;
  table.unit = grid.unit;
  std::int64_t slow_total = 0, typical_total = 0;
  for (std::size_t i = 0; i < slow.size(); ++i) {
    slow_total += slow_steps[i];
    typical_total += typical_steps[i];
    const bool one = i < shown.size();
    const LabelDifference& d = one ? *shown[i] : others;
    DifferenceRow row;
    row.text = one ? std::string(model::text_of(d.label)) : count_text(small, "other", "others") + ", together";
    row.name = one ? std::string(model::name_of(d.label)) : "";
    row.colour = one ? std::string(model::colour_of(model::group_of(d.label))) : "#cfd4d9";
    row.slow = grid.text(slow_steps[i]);
    row.typical = grid.text(typical_steps[i]);
    row.more = grid.text(slow_steps[i] - typical_steps[i]);
    if (one && study.intervals) row.interval = grid.nearest(d.low) + "–" + grid.nearest(d.high);
    row.share = shares ? ground::percent_text(static_cast<double>(d.difference()) / gap) : "–";
    row.with = one ? counted(d.slow_with, study.slow) : "";
    row.dominant = counted(d.slow_dominant, study.slow);
    if (one) {
      row.notes = notes_of(d);
      row.named = std::ranges::any_of(study.verdict.parts, [&](const model::VerdictPart& part) {
        return std::ranges::find(part.labels, d.label) != part.labels.end();
      });
      row.difference = &d;
    }
    table.rows.push_back(std::move(row));
  }
  table.total.text = "in all";
  table.total.slow = grid.text(slow_total);
  table.total.typical = grid.text(typical_total);
  table.total.more = grid.text(slow_total - typical_total);
  if (study.intervals) table.total.interval = grid.nearest(study.gap_low) + "–" + grid.nearest(study.gap_high);
  table.total.share = shares ? "100 %" : "–";
  return table;
}

}  // namespace tailcap::report::tail
