#include "analyze/report/tail/routes.h"

#include <algorithm>

#include "analyze/model/figure/figure.h"
#include "analyze/report/charts/chart_svg.h"
#include "analyze/report/charts/latency_chart.h"
#include "analyze/report/charts/time_chart.h"
#include "analyze/report/request/calls.h"
#include "analyze/report/request/held_up.h"
#include "analyze/report/request/setup_text.h"
#include "analyze/report/sections/page_flames.h"
#include "analyze/report/tail/bands.h"
#include "analyze/report/tail/load_lines.h"
#include "analyze/report/tail/route_tail.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/sampling.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using model::RouteStudy;
using render::Cell;
using render::Column;
using render::Document;
using render::Table;
using render::Tone;

constexpr std::size_t kLongestTitle = 200;

render::Row table_row(const RouteStudy& route, std::size_t index) {
  render::Row row;
  Cell title(shortened(route_title(route), kLongestTitle));
  title.link = route_anchor(index);
  if (!route.comm.empty()) title.below = {shortened(printable(route.comm), 60)};
  Cell count(count_text(route.count));
  if (route.all) count.below = {approximate_text(*route.all) + " in all"};
  if (route.all && route.all->interval) count.below.push_back(interval_text(*route.all));
  count.below.push_back(route_rate_text(route));
  count.sort_key = static_cast<double>(route.count);
  std::vector<std::string> failed = error_parts(route.errors(), 0);
  Cell errors(failed.empty() ? "0" : failed.front());
  if (!failed.empty()) {
    errors.below.assign(failed.begin() + 1, failed.end());
    errors.tone = Tone::alarm;
  }
  errors.sort_key = static_cast<double>(route.errors().all());
  errors.hint = errors_text(route.errors(), route.count + route.incomplete);
  row.cells = {std::move(title), std::move(count), std::move(errors)};
  for (const auto& q : rising(route.latency)) row.cells.push_back(quantile_cell(q));
  if (route.incomplete != 0) row.below.emplace_back(Tone::plain, count_text(route.incomplete) + " incomplete");
  if (route.tainted != 0) row.below.emplace_back(Tone::care, count_text(route.tainted) + " flagged");
  return row;
}

std::string counts_text(const RouteStudy& route) {
  std::string text = route.role == model::Role::server ? "Served" : "Made";
  if (!route.comm.empty()) text += " by " + shortened(printable(route.comm), 100);
  text += ": " + count_text(route.count, "request", "requests");
  if (route.all)
    text += " on " + count_text(route.connections, "connection", "connections") + ", " + whole_text(*route.all);
  text += ", " + route_rate_text(route) + ", ";
  const std::string errors = errors_text(route.errors(), route.count + route.incomplete);
  text += errors.empty() ? "no errors" : errors;
  if (route.incomplete != 0) text += ", " + count_text(route.incomplete) + " incomplete";
  if (route.tainted != 0) text += ", " + count_text(route.tainted) + " flagged";
  return text + ".";
}

std::string first_byte_text(const RouteStudy& route) {
  std::string text;
  std::vector<std::string> reasons;
  for (const auto& q : rising(route.first_byte)) {
    const QuantileText value = quantile_text(q);
    text += (text.empty() ? "" : ", ") + quantile_name(q.q) + " " + value.value;
    if (!value.note.empty() && std::ranges::find(reasons, value.note) == reasons.end()) reasons.push_back(value.note);
  }
  for (const std::string& reason : reasons) text += "; " + reason;
  return text;
}

std::string bodies_text(const RouteStudy& route) {
  const auto one = [&](std::uint64_t sum, std::uint64_t unknown) {
    const std::uint64_t known = route.count > unknown ? route.count - unknown : 0;
    if (known == 0) return std::string("unknown");
    return bytes_text(sum) + " (" + bytes_text(sum / known) + " each)" +
           (unknown == 0 ? "" : ", unknown for " + count_text(unknown));
  };
  return "requests " + one(route.request_bytes, route.request_bytes_unknown) + "; responses " +
         one(route.response_bytes, route.response_bytes_unknown);
}

render::Facts facts_of(const RouteStudy& route, const model::RequestTable& table) {
  render::Facts facts;
  const auto add = [&](const char* label, std::string text) {
    if (!text.empty()) facts.lines.push_back({Tone::plain, label, std::move(text)});
  };
  facts.lines = method_facts(route, table);
  if (route.count != 0) {
    add("first byte", first_byte_text(route));
    add("bodies", bodies_text(route));
    if (!route.tail || !route.tail->compared()) add("slow ones", difference_text(route));
  }
  add("held up", held_up_text(route));
  for (auto& line : tail::load_lines(route, table.texts)) facts.lines.push_back(std::move(line));
  add("set-up", setup_text(route));
  return facts;
}

Table bands_of(const RouteStudy& route) {
  const BandTable bands = band_table(route);
  Table table;
  table.columns = {{"", Column::Kind::name}};
  for (const auto& name : bands.names) table.columns.push_back({name});
  const auto add = [&](std::string name, std::uint8_t indent, const auto& values, auto format) {
    render::Row row;
    row.cells.emplace_back(std::move(name));
    row.cells.back().indent = indent;
    for (const auto& value : values) row.cells.push_back(format(value));
    table.rows.push_back(std::move(row));
  };
  const auto count = [](std::uint64_t n) { return Cell(count_text(n)); };
  const auto mean = [](Duration d) { return d.count() == 0 ? Cell("–") : duration_cell(d); };
  const auto part = [](const BandCell& c) {
    if (c.mean == 0) return Cell("·");
    Cell cell = duration_cell(Duration{static_cast<std::int64_t>(c.mean + 0.5)});
    cell.beside = share_text(c.share, 1.0);
    return cell;
  };
  add("requests", 0, bands.counts, count);
  add("mean duration", 0, bands.means, mean);
  for (const auto& row : bands.phases) add(row.name, 1, row.cells, part);
  if (bands.labels.empty()) return table;
  add("waits known for", 0, bands.labelled_counts, count);
  add("mean duration of those", 0, bands.labelled_means, mean);
  for (const auto& row : bands.labels) add(row.name, 1, row.cells, part);
  return table;
}

// The phases of fast and of slow requests as bars, on a page.
Table phase_bars(const RouteStudy& route) {
  Table table;
  table.bars = table.drawing = true;
  table.columns = {{"on the wire", Column::Kind::name}, {}, {"", Column::Kind::picture}, {}};
  const auto phases = model::phases_of(route.role);
  std::vector<bool> occurs(phases.size());
  std::int64_t scale = 1;
  for (const model::Band& band : route.bands) scale = std::max<std::int64_t>(scale, band.mean.count());
  for (const model::Band& band : route.bands) {
    if (band.count == 0) continue;
    std::vector<Stretch> stretches;
    for (std::size_t i = 0; i < phases.size(); ++i) {
      const auto ns = static_cast<std::int64_t>(band.phases[i] + 0.5);
      stretches.push_back({model::text_of(phases[i]), model::colour_of(phases[i]), ns});
      occurs[i] = occurs[i] || ns > 0;
    }
    Cell bar;
    bar.picture = bar_svg(stretches, scale);
    table.rows.push_back(
        {{band_name(band), count_text(band.count, "request", "requests"), std::move(bar), duration_text(band.mean)}});
  }
  for (std::size_t i = 0; i < phases.size(); ++i)
    if (occurs[i])
      table.legend.push_back({std::string(model::text_of(phases[i])), std::string(model::colour_of(phases[i]))});
  return table;
}

// What the routes that are not shown have together; their percentiles cannot be computed from those of each.
render::Row other_row(const model::Study& study, const std::vector<std::size_t>& shown, model::Role role) {
  std::size_t routes = 0;
  std::uint64_t requests = 0, all = 0;
  model::ErrorCounts errors;
  for (std::size_t i = 0; i < study.routes.size(); ++i) {
    const RouteStudy& route = study.routes[i];
    if (route.role != role || std::ranges::find(shown, i) != shown.end()) continue;
    ++routes;
    requests += route.count;
    all += route.count + route.incomplete;
    const model::ErrorCounts more = route.errors();
    errors.server += more.server;
    errors.client += more.client;
    errors.stores += more.stores;
    errors.other += more.other;
  }
  render::Row row;
  if (routes == 0) return row;
  Cell count(count_text(requests));
  count.sort_key = static_cast<double>(requests);
  Cell failed(errors.all() == 0 ? "0" : errors_text(errors, all));
  row.cells = {Cell("other: " + count_text(routes, "route", "routes")), std::move(count), std::move(failed)};
  row.last = true;
  return row;
}

void add_charts(const model::Study& study, std::size_t route, Document& out) {
  render::Figures charts;
  if (const auto chart = charts::time_chart(study, study.routes[route], tail::episodes(study, route)))
    charts.all.push_back(charts::chart_figure(*chart));
  if (const auto chart = charts::latency_chart(study, {route})) charts.all.push_back(charts::chart_figure(*chart));
  if (!charts.all.empty()) out.add(std::move(charts));
}

}  // namespace

std::string route_anchor(std::size_t route) { return "route-" + std::to_string(route + 1); }

std::vector<std::size_t> shown_routes(const model::Study& study, std::size_t most) {
  std::vector<std::size_t> shown;
  for (std::size_t i = 0; i < std::min(study.routes.size(), most); ++i) shown.push_back(i);
  std::stable_partition(shown.begin(), shown.end(),
                        [&](std::size_t i) { return study.routes[i].role == model::Role::server; });
  return shown;
}

Document route_tables(const model::Study& study, const std::vector<std::size_t>& shown, bool page,
                      const std::string& within) {
  Document out;
  for (const auto role : {model::Role::server, model::Role::client}) {
    Table table;
    table.sortable = true;
    table.columns = {{"route", Column::Kind::name}, {"requests"}, {"errors"}};
    for (const double q : model::kQuantiles) table.columns.push_back({quantile_name(q)});
    for (const std::size_t i : shown)
      if (study.routes[i].role == role) table.rows.push_back(table_row(study.routes[i], i));
    if (table.rows.empty()) continue;
    if (page)
      if (render::Row other = other_row(study, shown, role); !other.cells.empty())
        table.rows.push_back(std::move(other));
    out.heading(2, role == model::Role::server ? "Incoming requests" : "Outgoing requests");
    out.add(std::move(table));
    std::string note = "Below each percentile: its 95 % interval within " + within + ", in the same unit.";
    if (const std::string signs = signs_text(study, role); !signs.empty()) note += " " + signs;
    out.note(std::move(note));
    if (const std::string text = tail::arrivals_text(study); !text.empty() && role == study.arrivals.role)
      out.note(text);
  }
  if (study.routes.size() > shown.size()) {
    std::uint64_t requests = 0;
    for (std::size_t i = shown.size(); i < study.routes.size(); ++i) requests += study.routes[i].count;
    out.note(count_text(study.routes.size() - shown.size(), "more route", "more routes") + " with " +
             count_text(requests, "request", "requests") + " not shown here. --limit N shows more, --json all.");
  }
  return out;
}

Document route_sections(const model::Study& study, const model::RequestTable& table,
                        const std::vector<std::size_t>& shown, const ReportOptions& options,
                        const model::PlotSet& figures, std::span<const model::Course> courses) {
  Document out;
  std::size_t details = options.details;
  if (!shown.empty()) out.heading(2, "Route by route");
  for (const std::size_t i : shown) {
    const RouteStudy& route = study.routes[i];
    out.heading(3, shortened(route_title(route), kLongestTitle), route_anchor(i));
    out.note(counts_text(route));
    if (route.count == 0) out.note("No request has a known duration.");
    if (render::Facts facts = facts_of(route, table); !facts.lines.empty()) out.add(std::move(facts));
    if (route.count == 0 || details == 0) continue;
    --details;
    out.append(tail::comparison(route, study, table, options, courses));
    if (options.page) add_charts(study, i, out);
    for (const auto& figure : figures.drawn)
      if (figure.route == i && !is_flame(figure)) out.add(render::Figures{{drawn(figure)}});
    if (route.bands.empty()) continue;
    render::Details time{"Where the time goes", {}, false};
    if (const std::string text = doubt_text(route); !text.empty())
      time.blocks.push_back(render::Paragraph{text, Tone::care, render::Paragraph::Kind::body});
    if (options.page) time.blocks.push_back(phase_bars(route));
    time.blocks.push_back(bands_of(route));
    out.add(std::move(time));
  }
  return out;
}

}  // namespace tailcap::report
