#include "analyze/report/study/shapes.h"

namespace tailcap::report::study {
namespace {

using model::Exemplar;
using model::LabelBand;
using model::LabelDifference;
using model::TailStudy;

struct Difference {
  const LabelDifference& d;
  bool interval;
};
std::vector<Difference> differences_of(const TailStudy& t) {
  std::vector<Difference> out;
  for (const LabelDifference& d : t.labels) out.push_back({d, t.intervals});
  return out;
}
auto labels_of(const LabelBand& b) {
  std::vector<std::pair<std::string_view, std::int64_t>> out;
  for (const auto& [label, ns] : b.labels) out.emplace_back(model::name_of(label), ns);
  return Map<decltype(out)>{std::move(out)};
}
std::string_view why_of(const Exemplar& e) {
  constexpr std::string_view names[] = {"slowest", "representative", "second_cause"};
  return names[static_cast<std::size_t>(e.why)];
}

const StudyShape<Difference> kDifference{
    "difference",
    {
        {"label", [](auto& x) { return model::name_of(x.d.label); }},
        {"slow_ns", [](auto& x) { return x.d.slow; }, "a mean"},
        {"typical_ns", [](auto& x) { return x.d.typical; }, "a mean"},
        {"difference_ns", [](auto& x) { return x.d.difference(); }},
        {"low_ns", [](auto& x) { return when(x.interval, x.d.low); }, "of the 95 % interval"},
        {"high_ns", [](auto& x) { return when(x.interval, x.d.high); }},
        {"significant", [](auto& x) { return x.d.significant; }},
        {"slow_with", [](auto& x) { return x.d.slow_with; },
         "slow requests that have more of it than 99 % of the typical ones"},
        {"slow_dominant", [](auto& x) { return x.d.slow_dominant; },
         "slow requests in which it makes up most of the excess"},
        {"slow_inferred_ns", [](auto& x) { return x.d.slow_inferred; }},
        {"slow_sampled_ns", [](auto& x) { return x.d.slow_sampled; }},
    }};

const StudyShape<LabelBand> kLabelBand{"label_band",
                                       {
                                           {"from", &LabelBand::from, "quantile"},
                                           {"to", &LabelBand::to},
                                           {"count", &LabelBand::count},
                                           {"mean_ns", &LabelBand::mean},
                                           {"labels", labels_of, "ns; they sum to the mean"},
                                       }};

const StudyShape<Exemplar> kExemplar{
    "exemplar",
    {
        {"id", [](auto& e, auto& c) { return c.table.rows.id(e.row); }},
        {"why", why_of, "", {.values = {"slowest", "representative", "second_cause"}}},
        {"typical", [](auto& e, auto& c) { return c.table.rows.id(e.typical); }, "a typical request of the same kind"},
    }};

// Only where requests were compared.
const StudyShape<TailStudy>& comparison() {
  static const StudyShape<TailStudy> shape{"comparison",
                                           {
                                               {"slow", &TailStudy::slow},
                                               {"typical", &TailStudy::typical},
                                               {"matched_loosely", &TailStudy::matched_loosely},
                                               {"matched_by_route", &TailStudy::matched_by_route},
                                               {"slow_mean_ns", &TailStudy::slow_mean},
                                               {"typical_mean_ns", &TailStudy::typical_mean},
                                               {"gap_ns", &TailStudy::gap},
                                               {"gap_low_ns", [](auto& t) { return when(t.intervals, t.gap_low); }},
                                               {"gap_high_ns", [](auto& t) { return when(t.intervals, t.gap_high); }},
                                               {"blocks", &TailStudy::blocks},
                                               {"ordinary_slow_mean_ns", &TailStudy::ordinary_slow_mean},
                                               {"bursts", &TailStudy::bursts},
                                               {"bursts_if_spread", [](auto& t) { return share(t.bursts_if_spread); }},
                                               {"largest_burst", &TailStudy::largest_burst},
                                               {"largest_burst_at_ns", &TailStudy::largest_burst_at},
                                               {"slow_lossy", &TailStudy::slow_lossy},
                                               {"typical_lossy", &TailStudy::typical_lossy},
                                               {"labels", kDifference, differences_of},
                                               {"bands", kLabelBand, &TailStudy::bands},
                                               {"culprits", culprit_shape(), &TailStudy::culprits},
                                               {"exemplars", kExemplar, &TailStudy::exemplars},
                                           }};
  return shape;
}

}  // namespace

const StudyShape<TailStudy>& tail_shape() {
  static const StudyShape<TailStudy> shape{
      "tail",
      {
          {"verdict", verdict_shape(), &TailStudy::verdict},
          {"doubt", or_null(&TailStudy::doubt), "why it is not certain which requests are the slowest"},
          {"requests", &TailStudy::requests, "compared"},
          {"unexplained_share", [](auto& t) { return share(t.unexplained); }},
          {"causeless_share", [](auto& t) { return share(t.causeless); }},
          {"inferred_share", [](auto& t) { return share(t.inferred); }},
          {"slow_from", [](auto& t) { return when(t.slow_from > 0, t.slow_from); },
           "the quantile where the slow ones begin"},
          {comparison(), [](auto& t) { return where(t.compared(), t); }},
      }};
  return shape;
}

}  // namespace tailcap::report::study
