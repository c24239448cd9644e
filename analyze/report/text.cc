#include "analyze/report/text.h"

#include <algorithm>

#include "analyze/report/bands.h"
#include "analyze/report/calls.h"
#include "analyze/report/changes.h"
#include "analyze/report/escape.h"
#include "analyze/report/go_grids.h"
#include "analyze/report/go_lines.h"
#include "analyze/report/health.h"
#include "analyze/report/held_up.h"
#include "analyze/report/incident_grid.h"
#include "analyze/report/name_lines.h"
#include "analyze/report/number.h"
#include "analyze/report/quality.h"
#include "analyze/report/quantiles.h"
#include "analyze/report/setup_text.h"
#include "analyze/report/table.h"
#include "analyze/report/tail/load_lines.h"
#include "analyze/report/tail/sections.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/tls_lines.h"
#include "analyze/report/triggers.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kLabel = 13;  // the widest label of the quality box, and of a route's lines

std::string ruler(std::string_view title, std::size_t width) {
  std::string line = "── " + std::string(title) + " ";
  for (std::size_t used = columns(line); used < width; ++used) line += "─";
  return line + "\n";
}

std::string_view sign(Tone tone) { return tone == Tone::alarm ? "!! " : tone == Tone::care ? " ! " : "   "; }

std::string quality_box(const flow::Study& study, std::size_t width) {
  const QualityLine first = verdict(study);
  std::string out = ruler("Can this be trusted?", width) + wrapped(sign(first.tone), first.text, width);
  for (const auto& line : quality_lines(study))
    out += wrapped(std::string(sign(line.tone)) + padded(line.label, kLabel), line.text, width);
  return out;
}

std::string with_note(const QuantileText& text) {
  return text.note == 0 ? text.value : text.value + " [" + std::to_string(text.note) + "]";
}

std::string bodies(const flow::RouteStudy& route) {
  const auto one = [&](std::uint64_t sum, std::uint64_t unknown) {
    const std::uint64_t known = route.count > unknown ? route.count - unknown : 0;
    if (known == 0) return std::string("unknown");
    return bytes_text(sum) + " (" + bytes_text(sum / known) + " each)" +
           (unknown == 0 ? "" : ", unknown for " + count_text(unknown));
  };
  return "requests " + one(route.request_bytes, route.request_bytes_unknown) + "; responses " +
         one(route.response_bytes, route.response_bytes_unknown);
}

std::string route_counts(const flow::RouteStudy& route) {
  std::string text = count_text(route.count, "request", "requests") + ", " + rate_text(route.per_second) + ", ";
  text += errors_text(route) == "0" ? "no errors" : "errors " + errors_text(route) + ": " + errors_in_words(route);
  if (route.incomplete != 0) text += ", " + count_text(route.incomplete) + " incomplete";
  if (route.tainted != 0) text += ", " + count_text(route.tainted) + " marked";
  if (!route.comm.empty()) text += "; " + printable(route.comm);
  return text;
}

void add_route(const flow::RouteStudy& route, const flow::RequestTable& requests, std::size_t width, Footnotes& notes,
               Table& table) {
  table.line(shortened(route_title(route), width));
  std::string counts = wrapped("  ", route_counts(route), width);
  counts.pop_back();
  table.line(std::move(counts));
  const auto add = [&](std::string_view label, const std::string& text) {
    std::string lines = wrapped("  " + padded(std::string(label), kLabel) + "  ", text, width);
    lines.pop_back();
    table.line(std::move(lines));
  };
  for (const auto& fact : method_facts(route, requests)) add(fact.label, fact.text);
  if (route.count == 0) return table.line("  no request with a known duration");
  std::vector<std::string> values = {"  duration"}, intervals = {"  95 % interval"}, first = {"  first byte"};
  for (const auto& q : route.latency) {
    const QuantileText text = quantile_text(q, notes);
    values.push_back(with_note(text));
    intervals.push_back(text.interval);
  }
  for (const auto& q : route.first_byte) first.push_back(with_note(quantile_text(q, notes)));
  table.row(std::move(values));
  if (std::any_of(intervals.begin() + 1, intervals.end(), [](const auto& s) { return !s.empty(); }))
    table.row(std::move(intervals));
  table.row(std::move(first));
  add("bodies", bodies(route));
  if (const std::string text = route.tail && route.tail->compared() ? "" : difference_text(route); !text.empty())
    add("slow ones", text);
  if (const std::string text = held_up_text(route); !text.empty()) add("held up", text);
  for (const auto& line : tail::load_lines(route, requests.texts)) add(line.label, line.text);
  if (const std::string text = setup_text(route); !text.empty()) add("set-up", text);
}

std::string routes_of(const flow::Study& study, const flow::RequestTable& requests, flow::Role role,
                      const ReportOptions& options, std::size_t& left) {
  const std::size_t quantile =
      std::clamp<std::size_t>((options.width - kLabel - 4) / flow::kQuantiles.size() - 2, 10, 14);
  std::vector<Column> layout = {{Align::left, kLabel + 3}};
  std::vector<std::string> head = {""};
  for (const double q : flow::kQuantiles) {
    layout.push_back({Align::right, quantile});
    head.push_back(quantile_name(q));
  }
  Table table(layout);
  table.row(head);
  Footnotes notes;
  std::size_t shown = 0;
  for (const auto& route : study.routes) {
    if (route.role != role || left == 0) continue;
    if (shown++ != 0) table.line("");
    --left;
    add_route(route, requests, options.width, notes, table);
  }
  if (shown == 0) return {};
  std::string out =
      "\n" + ruler(role == flow::Role::server ? "Requests served" : "Requests made", options.width) + table.text();
  if (const std::string signs = signs_text(study, role); !signs.empty()) out += wrapped("  ", signs, options.width);
  if (const std::string text = tail::arrivals_text(study); !text.empty() && role == study.arrivals.role)
    out += wrapped("  ", text, options.width);
  for (std::size_t i = 0; i < notes.texts().size(); ++i)
    out += wrapped("  [" + std::to_string(i + 1) + "] ", notes.texts()[i], options.width);
  return out;
}

std::string cell_text(const BandCell& cell, bool narrow) {
  if (cell.mean == 0) return "·";
  const std::string share =
      narrow ? std::to_string(static_cast<int>(cell.share * 100 + 0.5)) + " %" : share_text(cell.share, 1.0);
  return duration_text(Duration{static_cast<std::int64_t>(cell.mean + 0.5)}) +
         padded(share, narrow ? 6 : 8, Align::right);
}

std::string phases_of_route(const flow::RouteStudy& route, std::size_t width) {
  const BandTable bands = band_table(route);
  std::string out = "\n" + ruler("Where the time goes: " + shortened(route_title(route), width - 30), width);
  const bool narrow = width < 100;
  if (const std::string text = doubt_text(route); !text.empty()) out += wrapped("  ", text, width);
  std::vector<Column> layout(bands.names.size() + 1, Column{Align::right, narrow ? 12u : 15u});
  layout[0] = {Align::left, narrow ? 20u : 24u};
  Table table(layout, "  ", narrow ? 1 : 2);
  const std::string inner = narrow ? "" : "  ";
  const auto part = [&](const BandCell& cell) { return cell_text(cell, narrow); };
  const auto add = [&](std::string name, const auto& values, auto format) {
    std::vector<std::string> cells = {std::move(name)};
    for (const auto& v : values) cells.push_back(format(v));
    table.row(std::move(cells));
  };
  add("", bands.names, [](const std::string& s) { return s; });
  add("requests", bands.counts, [](std::uint64_t n) { return count_text(n); });
  add("mean duration", bands.means, [](Duration d) { return d.count() == 0 ? std::string("–") : duration_text(d); });
  for (const auto& row : bands.phases) add(inner + row.name, row.cells, part);
  if (!bands.labels.empty()) {
    add("waits known", bands.labelled_counts, [](std::uint64_t n) { return count_text(n); });
    for (const auto& row : bands.labels) add(inner + row.name, row.cells, part);
  }
  return out + table.text();
}

// The sentences that the report is read for.
std::string tails(const flow::Study& study, const flow::RequestTable& requests, const ReportOptions& options) {
  std::string out;
  for (const auto& said : tail::sentences(study, requests.texts, options.routes))
    out += wrapped("  ", said.text, options.width);
  return out.empty() ? out : "\n" + ruler("Why the slow requests are slow", options.width) + out;
}

std::string tail_of_route(const flow::RouteStudy& route, const flow::Study& study, const flow::RequestTable& requests,
                          std::size_t width) {
  const std::string section = tail::text_section(route, study, requests, width);
  return section.empty()
             ? section
             : "\n" + ruler("Slow against typical: " + shortened(route_title(route), width - 30), width) + section;
}

std::string slowest(const flow::Study& study, const flow::RequestTable& requests, const ReportOptions& options) {
  if (study.slowest.empty()) return {};
  Table table({{Align::left, 8}, {Align::right, 9}, {Align::right, 11}, {Align::left, 4}, {}}, "  ");
  table.row({"id", "duration", "at", "result", "request"});
  for (std::size_t i = 0; i < study.slowest.size() && i < options.slowest; ++i) {
    const auto& row = requests.rows[study.slowest[i]];
    const std::string role = row.role == flow::Role::client ? " (made)" : "";
    table.row({id_text(row.id), duration_text(row.duration), offset_text(row.start, study.begin), outcome_text(row),
               shortened(request_title(row, requests.texts), options.width > 60 ? options.width - 48 : 24) + role});
    const auto add = [&](const std::string& text) {
      std::string lines = wrapped("          ", text, options.width - 2);
      lines.pop_back();
      for (auto at = lines.find('\n'); at != lines.npos; at = lines.find('\n', at + 1)) lines.insert(at + 1, "  ");
      table.line(std::move(lines));
    };
    if (const std::string where = dominant_text(row, requests.partitions.parts(row.id)); !where.empty()) add(where);
    for (const auto taint : taints_in(row.taints)) add("marked: " + std::string(text_of(taint)));
  }
  return "\n" + ruler("Slowest requests", options.width) + table.text() + "  tailcap show " + printable(options.file) +
         " " + id_text(requests.rows[study.slowest[0]].id) + "    shows the first of them as a waterfall\n";
}

std::string failures(const flow::Study& study, std::size_t width) {
  if (study.failures.empty()) return {};
  Table table({{Align::right, 6}, {}, {}}, "  ");
  for (const auto& failure : study.failures)
    table.row({count_text(failure.count), shortened(printable(failure.cause), 60),
               shortened(printable(failure.peer), width > 100 ? width - 70 : 30)});
  return "\n" + ruler("Connections that failed", width) + table.text();
}

std::string grids(const std::vector<Grid>& all, std::size_t width) {
  std::string out;
  for (const Grid& grid : all) out += "\n" + ruler(grid.title, width) + grid_text(grid, width);
  return out;
}

// A map of letters: its lines are kept as they are but for the last, which says what they mean.
std::string health(const flow::Study& study, std::size_t width) {
  const auto lines = health_lines(study.health);
  if (lines.empty()) return {};
  std::string out = "\n" + ruler(kHealthTitle, width);
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) out += "  " + shortened(lines[i], width - 2) + "\n";
  return out + wrapped("  ", lines.back(), width);
}

std::string list(std::string_view title, const std::vector<std::string>& lines, std::size_t width) {
  std::string out;
  for (const auto& line : lines) out += wrapped("  ", line, width);
  return out.empty() ? out : "\n" + ruler(title, width) + out;
}

}  // namespace

std::string left_out_text(const flow::Study& study, std::size_t shown) {
  if (study.routes.size() <= shown) return {};
  std::uint64_t requests = 0;
  for (std::size_t i = shown; i < study.routes.size(); ++i) requests += study.routes[i].count;
  return count_text(study.routes.size() - shown, "more route", "more routes") + " with " +
         count_text(requests, "request", "requests") + " not shown here.";
}

std::string text_report(const flow::Study& study, const flow::RequestTable& table, const ReportOptions& given) {
  ReportOptions options = given;
  options.width = std::clamp<std::size_t>(options.width, 60, 1000);
  std::string out = wrapped("", "tailcap report: " + printable(options.file), options.width);
  if (!options.scope.empty())
    out += wrapped("only ", options.scope + "; the box is about the whole capture", options.width);
  out += "\n" + quality_box(study, options.width);
  out += tails(study, table, options) + list(kChangesTitle, change_lines(study), options.width) +
         list(kTriggersTitle, trigger_lines(study), options.width);
  out += health(study, options.width);
  std::size_t left = options.routes;
  // Served requests first: they are what the service answers for. The most time first within each.
  out += routes_of(study, table, flow::Role::server, options, left);
  out += routes_of(study, table, flow::Role::client, options, left);
  if (const std::string text = left_out_text(study, options.routes); !text.empty())
    out += wrapped("  ", text + " --limit N shows more, --json all.", options.width);
  std::size_t shown = 0;
  for (const auto role : {flow::Role::server, flow::Role::client})
    for (const auto& route : study.routes)
      if (route.role == role && route.count != 0 && shown < std::min(options.details, options.routes))
        out += tail_of_route(route, study, table, options.width) + phases_of_route(route, options.width), ++shown;
  if (const Grid incidents = incident_grid(study); !incidents.empty()) out += grids({incidents}, options.width);
  return out + slowest(study, table, options) + list("TLS connections", tls_lines(study), options.width) +
         list("Name lookups", name_lines(study), options.width) + list("Go programs", go_lines(study), options.width) +
         grids(go_grids(study), options.width) + failures(study, options.width);
}

}  // namespace tailcap::report
