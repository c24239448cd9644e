#include "analyze/report/report.h"

#include <algorithm>

#include "analyze/report/charts/chart_svg.h"
#include "analyze/report/charts/collector_chart.h"
#include "analyze/report/charts/latency_chart.h"
#include "analyze/report/go/go_grids.h"
#include "analyze/report/go/go_lines.h"
#include "analyze/report/page/in_time.h"
#include "analyze/report/page/instrument_data.h"
#include "analyze/report/sections/changes.h"
#include "analyze/report/sections/health.h"
#include "analyze/report/sections/incident_grid.h"
#include "analyze/report/sections/name_lines.h"
#include "analyze/report/sections/origin_lines.h"
#include "analyze/report/sections/page_flames.h"
#include "analyze/report/sections/quality.h"
#include "analyze/report/sections/quality_line.h"
#include "analyze/report/sections/tls_lines.h"
#include "analyze/report/sections/triggers.h"
#include "analyze/report/tail/route_tail.h"
#include "analyze/report/tail/routes.h"
#include "analyze/report/tail/slowest.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/masking.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using render::Column;
using render::Document;
using render::Table;

constexpr std::size_t kFailuresShown = 50;

void add_list(Document& out, const char* title, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  out.heading(2, title);
  out.list(lines);
}

// One line; what makes it dangerous to pass the file on is not left for the end.
void add_quality_line(Document& out, const model::Study& study) {
  render::Facts facts = head_facts(study);
  for (FactLine& line : origin_lines(study)) facts.lines.push_back(std::move(line));
  if (unsafe(study.quality))
    for (FactLine& line : masking_lines(study.quality)) facts.lines.push_back(std::move(line));
  out.add(std::move(facts));
}

void add_quality(Document& out, const model::Study& study, const model::RequestTable& table) {
  out.heading(2, "About this recording");
  out.add(render::Facts{std::nullopt, quality_lines(study, connection_pairs(table)), false});
}

void add_health(Document& out, const model::Study& study, const model::PlotSet& figures) {
  render::Figures all;
  if (auto health = health_figure(study.health, tail::episodes(study, std::nullopt)))
    all.all.push_back(std::move(*health));
  if (auto flame = slow_flame(figures)) all.all.push_back(std::move(*flame));
  if (all.all.empty()) return;
  out.heading(2, "Health over time");
  out.add(std::move(all));
}

void add_collectors(Document& out, const model::Study& study) {
  for (const model::Chart& chart : charts::collector_charts(study))
    out.add(render::Figures{{charts::chart_figure(chart, charts::kWide)}});
}

void add_failures(Document& out, const model::Study& study) {
  if (study.failures.empty()) return;
  Table table;
  table.sortable = true;
  table.columns = {{"count"}, {"cause", Column::Kind::name}, {"peer", Column::Kind::name}};
  for (std::size_t i = 0; i < std::min(study.failures.size(), kFailuresShown); ++i) {
    const auto& failure = study.failures[i];
    render::Cell count(count_text(failure.count));
    count.sort_key = static_cast<double>(failure.count);
    table.rows.push_back({{count, printable(failure.cause), shortened(printable(failure.peer), 200)}});
  }
  out.heading(2, "Connections that failed");
  out.add(std::move(table));
  if (study.failures.size() > kFailuresShown)
    out.note(count_text(study.failures.size() - kFailuresShown) + " more kinds are not shown; --json has them.");
}

void add_definitions(Document& out) {
  render::Facts terms;
  for (const auto& [term, meaning] : definitions())
    terms.lines.push_back({render::Tone::plain, std::string(term), std::string(meaning)});
  out.heading(2, "What the words mean");
  out.add(std::move(terms));
}

}  // namespace

Document report_document(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
                         const PageParts& parts) {
  Document out;
  const model::PlotSet& figures = parts.figures;
  out.heading(1, options.opened.connection == 0
                     ? "tailcap report: " + printable(options.file)
                     : "tailcap show: " + printable(options.file) + ", request " + id_text(options.opened));
  if (!options.scope.empty())
    out.paragraph("Filtered: " + options.scope + ". The next line describes " +
                      (study.quality.part_read() ? "all that was read." : "the whole capture."),
                  render::Tone::care);
  // The first screen: can it be trusted, why is it slow, what changed, when was it slow.
  add_quality_line(out, study);
  if (parts.opened) out.add(*parts.opened);
  const std::vector<std::size_t> shown = shown_routes(study, options.routes);
  out.append(tail::verdicts(study, table, options));
  if (options.brief) return out;
  if (options.reduced)
    out.note("This page is limited to 2 MB: it shows fewer routes and requests than usual. `tailcap report " +
             printable(options.file) + " --json` leaves nothing out.");
  add_list(out, kChangesTitle, change_lines(study));
  add_list(out, kTriggersTitle, trigger_lines(study));
  add_health(out, study, figures);
  out.append(route_tables(study, shown, options.page));
  if (options.page)
    if (const auto chart = charts::latency_chart(study, shown))
      out.add(render::Figures{{charts::chart_figure(*chart, charts::kWide)}});
  for (const auto& figure : figures.drawn)
    if (!figure.route && !is_flame(figure)) out.add(render::Figures{{drawn(figure)}});
  if (options.page) add_collectors(out, study);
  out.append(route_sections(study, table, shown, options, figures, parts.courses));
  add_grid(out, incident_grid(study));
  out.append(slowest_requests(study, table, options, figures));
  if (options.page) out.append(page::in_time(study, table, options, parts.courses, parts.around));
  out.append(sampled_requests(figures));
  add_list(out, "TLS connections", tls_lines(study));
  add_list(out, "Name lookups", name_lines(study));
  add_list(out, "Go programs", go_lines(study));
  for (const Grid& grid : go_grids(study)) add_grid(out, grid);
  add_failures(out, study);
  add_quality(out, study, table);
  add_definitions(out);
  out.add(render::Paragraph{made_by_text(study), render::Tone::plain, render::Paragraph::Kind::footer});
  return out;
}

std::string text_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options) {
  return render::to_text(report_document(study, table, options), std::clamp<std::size_t>(options.width, 60, 1000),
                         options.coloured);
}

std::string markdown_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options) {
  return render::to_markdown(report_document(study, table, options));
}

namespace {

ReportOptions of_page(const ReportOptions& options) {
  ReportOptions page = options;
  page.page = true;
  page.routes = kRoutesInPage;
  page.details = kSectionsInPage;
  page.slowest = kSlowestInPage;
  return page;
}

}  // namespace

std::vector<model::ExchangeId> requests_in_time(const model::Study& study, const model::RequestTable& table,
                                                const ReportOptions& options, std::span<const model::Course> courses) {
  if (options.brief) return {};
  return page::chosen(study, table, courses, of_page(options), page::kInTime);
}

std::string html_report(const model::Study& study, const model::RequestTable& table, const PageParts& parts,
                        const ReportOptions& options) {
  ReportOptions page = of_page(options);
  page.in_time = requests_in_time(study, table, options, parts.courses);
  PageParts shown = parts;
  shown.facts.courses = parts.courses;
  page::InstrumentData data;
  if (!page.brief) data = page::instrument_data(study, table, page, shown.facts);
  const std::size_t largest = kLargestPage - std::min(data.size(), kLargestPage / 2);
  for (bool reduced = false;; reduced = true) {
    page.reduced = reduced;
    std::string text = render::to_html(report_document(study, table, page, shown), {data.requests, data.lanes});
    const bool least = page.details == 0 && page.in_time.empty() && page.routes <= 1 && shown.figures.drawn.empty();
    if (text.size() <= largest + data.size() || least) return text;
    // The parts that are largest for what they say go first.
    page.details /= 2;
    page.in_time.resize(page.in_time.size() / 2);
    page.routes = std::max<std::size_t>(1, page.routes / 2);
    page.slowest = std::max<std::size_t>(1, page.slowest / 2);
    if (page.details == 0) shown.figures.drawn.clear();
  }
}

}  // namespace tailcap::report
