#include "analyze/report/series/series.h"

#include <algorithm>
#include <cstdio>

#include "analyze/report/json/shape.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace of_series {
namespace {

using model::Census;
using model::ChangeEffect;
using model::Dimension;
using model::SeriesChange;
using model::SeriesGrowth;
using render::Cell;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;

constexpr std::size_t kLongestValue = 40;  // characters

std::string decimal_text(double x, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f", digits, x);
  return text;
}

std::string hours_text(double hours) {
  constexpr double kMost = 24 * 365 * 100.0;
  if (hours > kMost) return "more than 100 years";
  if (hours >= 72) return decimal_text(hours / 24, 1) + " days";
  return duration_text(Duration{static_cast<std::int64_t>(hours * 3.6e12)});
}

std::string series_of(const Census& c) {
  return (c.exact ? "" : "≈ ") + count_text(c.exact ? c.series.exact : c.series.estimate, "series", "series");
}

std::string what_text(SeriesChange change, const std::string& dimension) {
  return change == SeriesChange::drop ? "leave " + dimension + " out" : "replace numbers in " + dimension + " by {}";
}

void add_head(Document& out, const Census& c) {
  render::Facts facts;
  const auto line = [&](const char* label, std::string text) {
    facts.lines.push_back({Tone::plain, label, std::move(text)});
  };
  line("series", series_of(c) + " of " +
                     (c.exact ? count_text(c.metrics.size(), "metric", "metrics") : std::string("many metrics")) +
                     (c.exact ? "; HyperLogLog estimates " + count_text(c.series.estimate) : "") +
                     " (standard error 0.81 %)");
  line("lines", count_text(c.samples, "sample", "samples") + ", " + bytes_text(c.bytes) +
                    (c.repeated > 0 ? ", " + count_text(c.repeated) + " of a series that was there before" : "") +
                    (c.unread > 0 ? ", " + count_text(c.unread, "line", "lines") + " that are no samples" : ""));
  line("taken", utc_text(c.at, 0) + (c.at_of_samples ? ", the latest time of its samples" : ", the time of the file"));
  if (c.limit) {
    const std::uint64_t n = c.exact ? c.series.exact : c.series.estimate;
    line("limit",
         count_text(*c.limit, "series", "series") + ": " +
             (n <= *c.limit ? count_text(*c.limit - n) + " below it" : count_text(n - *c.limit) + " above it"));
  }
  out.add(std::move(facts));
  if (!c.exact)
    out.paragraph("There are more series than are counted exactly. What leaving a dimension out would do is not known.",
                  Tone::care);
}

void add_steps(Document& out, const Census& c) {
  if (!c.limit || c.steps.empty()) {
    if (c.limit && !c.reachable) out.paragraph("No change of a dimension makes fewer series.", Tone::care);
    return;
  }
  out.heading(2, "How the limit would be kept");
  Table table;
  table.columns = {{"step", Column::Kind::name}, {"series then"}, {"series that merge"}, {"text saved"}};
  for (const auto& step : c.steps)
    table.rows.push_back({{what_text(step.effect.change, printable(step.dimension)), count_text(step.effect.series),
                           count_text(step.effect.merged), bytes_text(step.effect.bytes_less)}});
  out.add(std::move(table));
  out.note(
      "Each step is made after those above it. Series that merge become one: what they counted can only be added "
      "up afterwards.");
  if (!c.reachable) out.paragraph("These steps are not enough: no further change makes fewer series.", Tone::care);
}

void add_dimensions(Document& out, const Census& c, std::size_t most) {
  if (c.dimensions.empty()) return;
  out.heading(2, "Dimensions");
  Table table;
  table.columns = {{"dimension", Column::Kind::name},
                   {"values"},
                   {"≈"},
                   {"entropy"},
                   {"evenness"},
                   {"without it"},
                   {"merged"},
                   {"without numbers"},
                   {"merged"},
                   {"most frequent", Column::Kind::name}};
  for (const Dimension& d : c.dimensions) {
    if (table.rows.size() == most) break;
    const auto effect = [&](SeriesChange change) -> const ChangeEffect* {
      const auto found = std::ranges::find(d.effects, change, &ChangeEffect::change);
      return found == d.effects.end() ? nullptr : &*found;
    };
    const auto cells = [&](SeriesChange change) -> std::pair<std::string, std::string> {
      const ChangeEffect* e = effect(change);
      if (!e) return {"–", ""};
      return {count_text(e->series), e->injective() ? "none" : count_text(e->merged)};
    };
    const auto dropped = cells(SeriesChange::drop), plain = cells(SeriesChange::without_numbers);
    table.rows.push_back(
        {{printable(d.name), c.exact ? count_text(d.values.exact) : "–", count_text(d.values.estimate),
          c.exact ? decimal_text(d.entropy, 2) + " bits" : "–", c.exact ? decimal_text(d.evenness, 2) : "–",
          dropped.first, dropped.second, plain.first, plain.second,
          c.exact
              ? shortened(printable(d.most_frequent), kLongestValue) + " (" +
                    share_text(
                        d.series == 0 ? 0 : static_cast<double>(d.of_most_frequent) / static_cast<double>(d.series)) +
                    ")"
              : "–"}});
  }
  out.add(std::move(table));
  if (c.dimensions.size() > most) out.note("and " + count_text(c.dimensions.size() - most) + " more");
  out.note(
      "≈: as HyperLogLog estimates it. Without it: series if the dimension were left out; without numbers: if "
      "numbers and hexadecimal ids in its values were {}. Merged: series that would not be alone any more; none: "
      "the change can be undone.");
}

void add_metrics(Document& out, const Census& c, std::size_t most) {
  if (c.metrics.empty()) return;
  out.heading(2, "Metrics");
  Table table;
  table.columns = {{"metric", Column::Kind::name}, {"series"}};
  for (const auto& m : c.metrics) {
    if (table.rows.size() == most) break;
    table.rows.push_back({{printable(m.name), count_text(m.series)}});
  }
  out.add(std::move(table));
  if (c.metrics.size() > most) out.note("and " + count_text(c.metrics.size() - most) + " more");
}

void add_growth(Document& out, const SeriesStudy& study) {
  if (study.files.size() < 2) return;
  out.heading(2, "From file to file");
  Table table;
  table.columns = {{"file", Column::Kind::name}, {"taken", Column::Kind::word}, {"series"}};
  for (const Census& c : study.files) table.rows.push_back({{printable(c.file), utc_text(c.at, 0), series_of(c)}});
  out.add(std::move(table));
  if (!study.growth) {
    out.paragraph("All files are of one time: nothing can be said of growth.", Tone::care);
    return;
  }
  const SeriesGrowth& g = *study.growth;
  std::string text = count_text(g.first) + " series became " + count_text(g.last) + " in " +
                     hours_text(static_cast<double>(g.to - g.from) / 3.6e12) + ": " + decimal_text(g.each_hour, 1) +
                     " an hour, by a line through " + count_text(study.files.size(), "file", "files") + ".";
  if (!g.dimension.empty())
    text += " The values of " + printable(g.dimension) + " grew most, from " + count_text(g.values_before) + " to " +
            count_text(g.values_after) + ".";
  if (study.files.back().limit)
    text += !g.lead        ? " The limit is not reached at this rate."
            : *g.lead == 0 ? " The limit is exceeded already."
                           : " At this rate the limit is reached in " + hours_text(*g.lead) + ".";
  out.paragraph(text);
}

struct Nothing {};
template <class T>
using SeriesShape = Shape<T, Nothing>;

const SeriesShape<ChangeEffect> kEffect{
    "series_effect",
    {
        {"change", one_of<SeriesChange::without_numbers>(&ChangeEffect::change)},
        {"series", &ChangeEffect::series, "afterwards, of all metrics"},
        {"merged", &ChangeEffect::merged, "series that are not alone afterwards; 0: the change can be undone"},
        {"bytes_less", &ChangeEffect::bytes_less},
    }};
const SeriesShape<model::SeriesStep> kStep{
    "series_step",
    {
        {"dimension", &model::SeriesStep::dimension},
        {"effect", kEffect, &model::SeriesStep::effect, "after this step and those before it"},
    }};
const SeriesShape<Dimension> kDimension{
    "dimension",
    {
        {"name", &Dimension::name},
        {"values", [](auto& d) { return d.values.exact; }, "different ones; 0 where `exact` is false"},
        {"values_estimate", [](auto& d) { return d.values.estimate; }, "by HyperLogLog"},
        {"metrics", &Dimension::metrics, "that have it"},
        {"series", &Dimension::series, "that have it"},
        {"entropy_bits", &Dimension::entropy, "of its values, weighted by series"},
        {"evenness", &Dimension::evenness,
         "its share of the largest entropy that this number of values can have: 0 to 1"},
        {"most_frequent", &Dimension::most_frequent},
        {"of_most_frequent", &Dimension::of_most_frequent, "series"},
        {"effects", kEffect, &Dimension::effects},
    }};
const SeriesShape<model::CountedMetric> kMetric{
    "metric", {{"name", &model::CountedMetric::name}, {"series", &model::CountedMetric::series}}};
const SeriesShape<Census> kCensus{
    "census",
    {
        {"file", &Census::file},
        {"at_ns", &Census::at, "since 1970"},
        {"at_of_samples", &Census::at_of_samples, "that is the latest time of its samples; false: that of the file"},
        {"exact", &Census::exact, "false: there are more series than are counted exactly"},
        {"series", [](auto& c) { return c.series.exact; }, "that were counted exactly"},
        {"series_estimate", [](auto& c) { return c.series.estimate; }, "by HyperLogLog"},
        {"samples", &Census::samples},
        {"repeated", &Census::repeated, "samples of a series that was there before"},
        {"unread", &Census::unread, "lines that are no samples"},
        {"bytes", &Census::bytes},
        {"limit", &Census::limit, "null: none was asked for"},
        {"steps", kStep, &Census::steps, "that keep the limit, each after those before it"},
        {"reachable", &Census::reachable, "the steps are enough"},
        {"metrics", kMetric, &Census::metrics, "most series first"},
        {"dimensions", kDimension, &Census::dimensions, "most values first"},
    }};
const SeriesShape<SeriesGrowth> kGrowth{
    "growth",
    {
        {"series_before", &SeriesGrowth::first},
        {"series_after", &SeriesGrowth::last},
        {"from_ns", &SeriesGrowth::from, "since 1970"},
        {"to_ns", &SeriesGrowth::to, "likewise"},
        {"each_hour", &SeriesGrowth::each_hour, "by a line through all files"},
        {"lead_hours", &SeriesGrowth::lead, "until the limit is reached at this rate; null: never, or no limit"},
        {"dimension", or_null(&SeriesGrowth::dimension), "whose values grew most"},
        {"values_before", &SeriesGrowth::values_before},
        {"values_after", &SeriesGrowth::values_after},
    }};
const SeriesShape<SeriesStudy> kStudy{"cardinality",
                                      {
                                          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
                                          {"files", kCensus, &SeriesStudy::files, "by time"},
                                          {"growth", kGrowth, [](auto& s) { return s.growth ? &*s.growth : nullptr; },
                                           "null: one file, or all of one time"},
                                      }};

}  // namespace
}  // namespace of_series

render::Document series_document(const SeriesStudy& study, std::size_t most) {
  render::Document out;
  const model::Census& last = study.files.back();
  out.heading(1, "tailcap cardinality: " + printable(last.file));
  of_series::add_head(out, last);
  of_series::add_growth(out, study);
  of_series::add_steps(out, last);
  of_series::add_dimensions(out, last, most);
  of_series::add_metrics(out, last, most);
  return out;
}

std::string series_json(const SeriesStudy& study) { return json_of(of_series::kStudy, study, of_series::Nothing{}); }
std::string series_schema() {
  return json_schema(of_series::kStudy, "tailcap cardinality --json",
                     "The series of metrics, and which dimensions make them many.");
}

}  // namespace tailcap::report
