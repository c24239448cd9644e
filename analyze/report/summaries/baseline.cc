#include <algorithm>

#include "analyze/report/json/shape.h"
#include "analyze/report/summaries/band_words.h"
#include "analyze/report/summaries/summaries.h"
#include "analyze/report/summaries/words.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_baseline {
namespace {

constexpr std::int64_t kDayCycle = 86'400'000'000'000;  // ns

using model::BandMetric;
using model::BaselineBand;
using model::BaselineStudy;
using model::DayKind;
using model::LabelShift;
using model::MetricBaseline;
using model::OutsideBand;
using model::ServiceBaseline;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;

std::string days_text(DayKind kind, std::size_t of) {
  static constexpr const char* weekdays[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
  if (kind == DayKind::any) return "every day";
  if (kind == DayKind::weekend) return of == 0 ? "Mon–Fri" : "Sat, Sun";
  return weekdays[of % 7];
}

std::string clock_text(std::int64_t ns, std::int64_t cycle) {
  constexpr std::int64_t kMinute = 60'000'000'000;
  if (cycle % (24 * 60 * kMinute) != 0) return duration_text(Duration{ns});
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  return two(ns / (60 * kMinute)) + ":" + two(ns / kMinute % 60);
}

// A day's lowest and highest typical value, and how far above it the band ends.
void add_known(Document& out, const BaselineStudy& study, const ServiceBaseline& service) {
  out.heading(2, name_text(service.service));
  Table table;
  table.columns = {{"metric", Column::Kind::word},
                   {"days", Column::Kind::name},
                   {"learned from"},
                   {"typical, lowest"},
                   {"at", Column::Kind::word},
                   {"typical, highest"},
                   {"at", Column::Kind::word},
                   {"band ends at"},
                   {"held out"}};
  for (const MetricBaseline& m : service.metrics) {
    if (!m.missing.empty()) {
      table.rows.push_back({.cells = {std::string(name_of(m.metric)), "–"}, .below = {{Tone::care, m.missing}}});
      continue;
    }
    std::string shown;
    for (std::size_t of = 0; of < 7; ++of) {
      const BaselineBand *low = nullptr, *high = nullptr;
      for (const BaselineBand& b : m.bands) {
        if (b.days_of != of) continue;
        if (!low || b.typical < low->typical) low = &b;
        if (!high || b.typical > high->typical) high = &b;
      }
      if (!low) continue;
      std::string margin;
      if (m.metric == BandMetric::errors)
        margin = "+" + share_text(high->high - high->typical);
      else
        margin = "+" + percent_text(high->high / high->typical - 1);
      if (m.metric == BandMetric::rate) margin = "−" + percent_text(1 - high->low / high->typical) + ", " + margin;
      const std::string name(name_of(m.metric));
      table.rows.push_back({{shown == name ? "" : name, days_text(m.kind, of), count_text(m.days, "day", "days"),
                             band_value(m.metric, low->typical), clock_text(low->from, study.cycle),
                             band_value(m.metric, high->typical), clock_text(high->from, study.cycle), margin,
                             shown == name ? "" : count_text(m.false_alarms) + " of " + count_text(m.days)}});
      shown = name;
    }
  }
  out.add(std::move(table));
}

void add_outside(Document& out, const ServiceBaseline& service, std::size_t most) {
  if (service.outside.empty()) return;
  out.heading(2, name_text(service.service));
  Table table;
  table.columns = {{"metric", Column::Kind::word},
                   {"from (UTC)", Column::Kind::word},
                   {"to", Column::Kind::word},
                   {"value"},
                   {"typical"},
                   {"band"}};
  for (std::size_t i = 0; i < std::min(most, service.outside.size()); ++i) {
    const OutsideBand& o = service.outside[i];
    table.rows.push_back({{std::string(name_of(o.metric)), minute_text(o.from), minute_text(o.to).substr(11),
                           band_value(o.metric, o.value), band_value(o.metric, o.typical),
                           o.above ? "≤ " + band_value(o.metric, o.high) : "≥ " + band_value(o.metric, o.low)}});
  }
  out.add(std::move(table));
  if (service.outside.size() > most)
    out.note(count_text(service.outside.size() - most, "more row", "more rows") + " not shown here.");
  std::vector<std::string> shifts;
  for (const LabelShift& l : service.labels)
    shifts.push_back(printable(l.label) + ": " + nanoseconds_text(l.typical) + " → " + nanoseconds_text(l.now) +
                     " a request");
  if (!shifts.empty()) {
    out.paragraph("Requests spent more time under these labels meanwhile:");
    out.list(shifts);
  }
}

template <class T>
using BaselineShape = Shape<T, Anywhere>;

const BaselineShape<BaselineBand> kBaselineBand{
    "baseline_band",
    {
        {"days", &BaselineBand::days_of,
         "of days = weekend: 0 Monday to Friday, 1 Saturday and Sunday; of weekday: 0 Monday to 6 Sunday; of any: 0"},
        {"from_ns", &BaselineBand::from, "after midnight, UTC"},
        {"low", &BaselineBand::low, "0: it has no lower end"},
        {"typical", &BaselineBand::typical, "rate: per second; errors: a share; percentiles: ns"},
        {"high", &BaselineBand::high},
    }};

const BaselineShape<MetricBaseline> kMetric{
    "metric",
    {
        {"metric", one_of<BandMetric::p99>(&MetricBaseline::metric)},
        {"missing", or_null(&MetricBaseline::missing), "why there are no bands"},
        {"compares", one_of<DayKind::weekday>(&MetricBaseline::kind), "which days are alike"},
        {"days", &MetricBaseline::days, "that were learned from"},
        {"held_out_outside", &MetricBaseline::false_alarms, "of these days, each held against the others"},
        {"bands", kBaselineBand, &MetricBaseline::bands},
    }};

const BaselineShape<LabelShift> kShift{"label_shift",
                                       {
                                           {"label", &LabelShift::label},
                                           {"typical_ns", &LabelShift::typical, "per request, at these times of day"},
                                           {"now_ns", &LabelShift::now},
                                       }};

const BaselineShape<ServiceBaseline> kService{
    "service",
    {
        {"service", &ServiceBaseline::service},
        {"metrics", kMetric, &ServiceBaseline::metrics},
        {"outside", outside_shape(), &ServiceBaseline::outside, "with --new"},
        {"labels", kShift, &ServiceBaseline::labels, "whose time grew while something was outside"},
        {"checked", &ServiceBaseline::checked, "days of metrics that could be judged"},
        {"unknown", &ServiceBaseline::unknown, "metrics that could not be, and why"},
    }};

const BaselineShape<BaselineStudy> kBaseline{
    "baseline",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"days", &BaselineStudy::days, "that the summaries have"},
        {"from_ns", &BaselineStudy::from, "since 1970"},
        {"to_ns", &BaselineStudy::to},
        {"step_ns", &BaselineStudy::step},
        {"false_alarms", &BaselineStudy::level, "that are meant, a day and service"},
        {"services", kService, &BaselineStudy::services},
    }};

}  // namespace
}  // namespace of_baseline

render::Document baseline_document(const model::BaselineStudy& study, std::size_t most) {
  render::Document out;
  out.heading(1, "tailcap baseline");
  const bool check = study.check_to != 0;
  std::size_t outside = 0, checked = 0;
  for (const auto& s : study.services) outside += !s.outside.empty(), checked += s.checked;
  render::Facts facts;
  facts.boxed = true;
  if (check)
    facts.verdict = render::Facts::Line{outside > 0 ? render::Tone::alarm : render::Tone::plain, "result",
                                        checked == 0 ? "nothing could be judged"
                                                     : count_text(outside) + " of " +
                                                           count_text(study.services.size(), "service", "services") +
                                                           " outside of what is usual"};
  facts.lines.push_back({render::Tone::plain, "learned from",
                         (study.cycle == of_baseline::kDayCycle ? count_text(study.days, "day", "days")
                                                                : count_text(study.days, "cycle", "cycles")) +
                             ", " + day_text(study.from) + " to " + day_text(study.to - 1)});
  if (check)
    facts.lines.push_back({render::Tone::plain, "checked",
                           minute_text(study.check_from) + " to " + minute_text(study.check_to) + " UTC"});
  out.add(std::move(facts));
  for (const auto& service : study.services)
    check ? of_baseline::add_outside(out, service, most) : of_baseline::add_known(out, study, service);
  std::vector<std::string> unknown;
  for (const auto& service : study.services)
    for (const std::string& why : service.unknown) unknown.push_back(name_text(service.service) + ", " + why);
  if (check && !unknown.empty()) {
    out.heading(2, "Not judged");
    out.list(unknown);
  }
  if (!check)
    out.note("A band ends where one day in " + count_text(static_cast<std::uint64_t>(1 / study.level + 0.5)) +
             " is outside by chance, over all metrics of a service, for three steps in a row. Held out: days that the "
             "others would have called outside.");
  return out;
}

std::string baseline_json(const model::BaselineStudy& study) {
  return json_of(of_baseline::kBaseline, study, Anywhere{});
}
std::string baseline_schema() {
  return json_schema(of_baseline::kBaseline, "tailcap baseline --json",
                     "What is usual at a time of day, and what is outside of it.");
}

}  // namespace tailcap::report
