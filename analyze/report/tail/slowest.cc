#include "analyze/report/tail/slowest.h"

#include <algorithm>

#include "analyze/report/sections/page_flames.h"
#include "analyze/report/tail/answer_of.h"
#include "analyze/report/tail/route_tail.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/html_parts.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/request_id.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using render::Cell;
using render::Column;
using render::Tone;

std::string wall_text(const model::Study& study, formats::Time time) {
  if (study.quality.realtime_offset == 0) return {};
  return utc_text(study.quality.clock.known() ? study.quality.clock.realtime(time)
                                              : formats::nanoseconds(time) + study.quality.realtime_offset,
                  6);
}

// scale: of the bars, ns.
render::Row row_of(const model::Study& study, const model::Request& request, const model::RequestTable& requests,
                   const ReportOptions& options, const model::PlotSet& figures, std::int64_t scale,
                   std::size_t answer) {
  Cell id = id_cell(options, request.id), duration = duration_cell(request.duration), bar,
       at(offset_text(request.start, study.begin)), about;
  if (answer != 0) {
    about.text = std::to_string(answer);
    about.link = tail::verdict_anchor(answer);
    about.sort_key = static_cast<double>(answer);
  }
  if (std::string samples = samples_anchor(figures, request.id); !samples.empty()) {
    if (!id.link.empty()) duration.hint = "what the processors did for it";
    (id.link.empty() ? id : duration).link = std::move(samples);
  }
  duration.sort_key = static_cast<double>(request.duration.count());
  const std::string dominant = dominant_text(request, requests.partitions.parts(request.id));
  const auto labels = tail::label_stretches(requests, request.id);
  bar.picture = bar_svg(labels.empty() ? phase_stretches(request) : labels, scale);
  bar.hint = dominant;
  at.sort_key = static_cast<double>(formats::nanoseconds(request.start));
  at.hint = wall_text(study, request.start);
  render::Row row;
  row.cells = {
      std::move(id),
      std::move(duration),
      std::move(at),
      outcome_text(request, requests.texts[request.store.error_code]),
      std::move(about),
      std::move(bar),
      shortened(request_title(request, requests.texts), 300) + (request.role == model::Role::client ? " (made)" : "")};
  if (!dominant.empty()) row.below.emplace_back(Tone::plain, dominant);
  for (const auto taint : taints_in(request.taints))
    row.below.emplace_back(Tone::care, "flagged: " + std::string(text_of(taint)));
  return row;
}

}  // namespace

render::Document slowest_requests(const model::Study& study, const model::RequestTable& requests,
                                  const ReportOptions& options, const model::PlotSet& figures) {
  render::Document out;
  if (study.slowest.empty()) return out;
  using Kind = Column::Kind;
  render::Table table;
  table.sortable = true;
  table.columns = {{"id", Kind::word},     {"duration"}, {"at"},
                   {"result", Kind::word}, {"answer"},   {"where the time went", Kind::picture},
                   {"request", Kind::name}};
  tail::AnswerOf answers(study, requests, tail::answers(study, requests, options).verdicts);
  const std::size_t shown = std::min(study.slowest.size(), options.slowest);
  std::int64_t scale = 1;
  for (std::size_t i = 0; i < shown; ++i)
    scale = std::max<std::int64_t>(scale, requests.rows[study.slowest[i]].duration.count());
  std::vector<Stretch> met;
  for (std::size_t i = 0; i < shown; ++i) {
    const model::Request request = requests.rows[study.slowest[i]];
    table.rows.push_back(row_of(study, request, requests, options, figures, scale, answers.number(request)));
    for (const Stretch& s : phase_stretches(request))
      if (s.ns > 0 && std::ranges::none_of(met, [&](const Stretch& e) { return e.name == s.name; })) met.push_back(s);
  }
  constexpr std::size_t kAnswer = 4;
  if (std::ranges::none_of(table.rows,
                           [](const render::Row& row) { return row.cells[kAnswer].sort_key.has_value(); })) {
    table.columns.erase(table.columns.begin() + kAnswer);
    for (render::Row& row : table.rows) row.cells.erase(row.cells.begin() + kAnswer);
  }
  if (requests.partitions.size() > 0) {
    table.legend = tail::group_legend();
  } else {
    for (const Stretch& s : met) table.legend.push_back({std::string(s.name), std::string(s.colour)});
  }
  out.heading(2, "Slowest requests");
  out.add(std::move(table));
  out.note(show_command(options, requests.rows[study.slowest[0]].id) + " shows the first of them as a waterfall.");
  return out;
}

}  // namespace tailcap::report
