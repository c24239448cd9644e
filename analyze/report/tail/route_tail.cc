#include "analyze/report/tail/route_tail.h"

#include <algorithm>
#include <cmath>

#include "analyze/model/label_group.h"
#include "analyze/report/tail/bands.h"
#include "analyze/report/tail/difference_table.h"
#include "analyze/report/tail/lanes.h"
#include "analyze/report/tail/routes.h"
#include "analyze/report/tail/sections.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/request_id.h"
#include "analyze/report/words/words.h"
#include "ground/svg.h"

namespace tailcap::report::tail {
namespace {

using model::Label;
using model::RouteStudy;
using model::TailStudy;
using render::Cell;
using render::Column;
using render::Document;
using render::Table;
using render::Text;

constexpr std::int64_t kDifferenceUnits = 1000;  // width of a difference bar's coordinates

std::string_view colour_of(Label label) { return model::colour_of(model::group_of(label)); }

// Labels as stretches, group by group, so that colours do not alternate.
std::vector<Stretch> stretches_of(std::vector<std::pair<Label, std::int64_t>> labels) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return model::group_of(a.first) < model::group_of(b.first); });
  std::vector<Stretch> out;
  for (const auto& [label, ns] : labels) out.push_back({model::text_of(label), colour_of(label), ns});
  return out;
}

// The groups of labels that occur.
std::vector<render::LegendEntry> legend_of(const TailStudy& tail) {
  std::vector<render::LegendEntry> entries;
  for (std::size_t g = 0; g < model::kLabelGroups; ++g) {
    const auto group = static_cast<model::LabelGroup>(g);
    const bool occurs = std::ranges::any_of(tail.bands, [&](const auto& band) {
      return std::ranges::any_of(band.labels, [&](const auto& l) { return model::group_of(l.first) == group; });
    });
    if (occurs) entries.push_back({std::string(model::text_of(group)), std::string(model::colour_of(group))});
  }
  return entries;
}

// The axis of all difference bars of a route.
struct Axis {
  std::int64_t low = 0, high = 1;  // ns
  explicit Axis(const TailStudy& tail) {
    for (const auto& d : tail.labels) {
      low = std::min({low, d.difference(), tail.intervals ? d.low : 0});
      high = std::max({high, d.difference(), tail.intervals ? d.high : 0});
    }
  }
  std::int64_t at(std::int64_t ns) const {
    return std::llround(static_cast<double>(ns - low) / static_cast<double>(high - low) *
                        static_cast<double>(kDifferenceUnits));
  }
};

// A bar from 0 to the difference with a line over its interval.
std::string difference_bar(const model::LabelDifference& d, const Axis& axis, bool interval) {
  const std::int64_t zero = axis.at(0), to = axis.at(d.difference());
  const auto across = [&](std::int64_t ns) { return static_cast<double>(axis.at(ns)); };
  ground::Svg out;
  out.open("svg", {{"class", "difference"},
                   {"viewBox", "0 0 " + std::to_string(kDifferenceUnits) + " 16"},
                   {"preserveAspectRatio", "none"},
                   {"role", "img"}})
      .text({}, exact_text(Duration{d.difference()}), "title")
      .leaf("rect", {{"x", std::min(zero, to)},
                     {"y", 2},
                     {"width", std::max<std::int64_t>(std::abs(to - zero), 1)},
                     {"height", 12},
                     {"fill", colour_of(d.label)}});
  if (interval && d.high > d.low) {
    const double low = across(d.low), high = across(d.high);
    out.leaf(
        "path",
        {{"class", "whisker"},
         {"d",
          ground::Path()('M', {low, 8})('H', {high})('M', {low, 4})('V', {12})('M', {high, 4})('V', {12}).take()}});
  }
  return out.leaf("path", {{"class", "zero"}, {"d", ground::Path()('M', {across(0), 0})('V', {16}).take()}})
      .close("svg")
      .take();
}

Table differences(const TailStudy& tail) {
  const DifferenceTable differences = difference_table(tail);
  const Axis axis(tail);
  Table table;
  table.columns = {{"average, " + differences.unit, Column::Kind::name},
                   {"slow"},
                   {"typical"},
                   {"extra"},
                   {tail.intervals ? "extra, with its 95 % interval" : "extra", Column::Kind::picture},
                   {"95 % CI"},
                   {"share"},
                   {"in % of slow"},
                   {"main reason in"}};
  const auto add = [&](const DifferenceRow& r, bool total) {
    Cell name(r.text), more(r.more), bar;
    name.colour = r.colour;
    name.tag = r.notes;
    name.hint = r.name;
    name.strong = more.strong = r.named;
    if (r.difference) bar.picture = difference_bar(*r.difference, axis, tail.intervals);
    table.rows.push_back(
        {{std::move(name), r.slow, r.typical, std::move(more), std::move(bar), r.interval, r.share, r.with, r.dominant},
         {},
         total});
  };
  for (const DifferenceRow& row : differences.rows) add(row, false);
  add(differences.total, true);
  return table;
}

Table bands(const TailStudy& tail) {
  std::int64_t scale = 1;
  for (const auto& b : tail.bands) scale = std::max(scale, b.mean);
  Table table;
  table.bars = table.drawing = true;
  table.legend = legend_of(tail);
  table.columns = {{"by how fast they were", Column::Kind::name}, {}, {"", Column::Kind::picture}, {}};
  for (const auto& b : tail.bands) {
    if (b.count == 0) continue;
    model::Band named;
    named.from = b.from;
    named.to = b.to;
    Cell bar;
    bar.picture = bar_svg(stretches_of(b.labels), scale);
    table.rows.push_back({{band_name(named), count_text(b.count, "request", "requests"), std::move(bar),
                           duration_text(Duration{b.mean})}});
  }
  return table;
}

Table exemplars(const TailStudy& tail, const model::RequestTable& table, const ReportOptions& options,
                std::span<const model::Course> courses) {
  std::int64_t scale = 1;
  for (const auto& e : tail.exemplars) scale = std::max<std::int64_t>(scale, table.rows.duration(e.row).count());
  constexpr const char* why[] = {"the slowest", "most like all slow ones", "slowest for another reason"};
  Table out;
  out.bars = true;
  out.columns = {{"", Column::Kind::word}, {"", Column::Kind::name}, {"", Column::Kind::picture}, {}};
  const auto add = [&](std::uint32_t row, const char* what) {
    const model::Course* course = course_of(courses, table.rows.id(row));
    Cell bar, name(what);
    bar.picture = course ? course_bar(*course, model::NamedBlockers(table.partitions),
                                      formats::nanoseconds(table.rows.start(row)), scale)
                         : bar_svg(label_stretches(table, table.rows.id(row)), scale);
    out.rows.push_back({{id_cell(options, table.rows.id(row)), std::move(name), std::move(bar),
                         duration_cell(table.rows.duration(row))}});
  };
  for (const auto& e : tail.exemplars) {
    add(e.row, why[static_cast<std::size_t>(e.why)]);
    add(e.typical, "compare with");
    out.rows.back().cells[1].indent = 1;
  }
  return out;
}

}  // namespace

std::vector<Stretch> label_stretches(const model::RequestTable& table, model::ExchangeId request) {
  std::vector<Stretch> out;
  const auto parts = table.partitions.parts(request);
  for (std::size_t p = 0; p < model::kPhases; ++p) {
    std::vector<std::pair<Label, std::int64_t>> labels;
    for (const model::AccountPart& part : parts)
      if (part.phase == static_cast<model::Phase>(p)) labels.emplace_back(part.label, std::int64_t{part.time});
    for (const Stretch& s : stretches_of(std::move(labels))) out.push_back(s);
  }
  return out;
}

std::vector<render::LegendEntry> group_legend() {
  std::vector<render::LegendEntry> entries;
  for (std::size_t g = 0; g < model::kLabelGroups; ++g) {
    const auto group = static_cast<model::LabelGroup>(g);
    entries.push_back({std::string(model::text_of(group)), std::string(model::colour_of(group))});
  }
  return entries;
}

Document evidence(const RouteStudy& route, const model::RequestTable& table) {
  Document out;
  if (!route.tail || !route.tail->compared()) return out;
  out.add(differences(*route.tail));
  out.list(culprit_lines(*route.tail, table.texts));
  return out;
}

Document comparison(const RouteStudy& route, const model::Study& study, const model::RequestTable& table,
                    const ReportOptions& options, std::span<const model::Course> courses) {
  Document out;
  if (!route.tail || !route.tail->compared()) return out;
  const TailStudy& tail = *route.tail;
  out.heading(4, "Where the extra time goes");
  if (const std::string said = sentence(tail.verdict, study, table); !said.empty()) out.paragraph(said);
  if (!tail.doubt.empty())
    out.paragraph("Which requests are the slowest is not certain: " + tail.doubt + ".", render::Tone::care);
  out.add(differences(tail));
  out.list(culprit_lines(tail, table.texts));
  out.add(bands(tail));
  if (!tail.exemplars.empty()) {
    out.heading(4, "Requests to look at, each with a typical one of its kind");
    out.add(exemplars(tail, table, options, courses));
  }
  render::Details how{"How this was compared", {}, false};
  for (const auto& line : notes(tail, study))
    how.blocks.push_back(render::Paragraph{line, render::Tone::plain, render::Paragraph::Kind::note});
  out.add(std::move(how));
  return out;
}

}  // namespace tailcap::report::tail
