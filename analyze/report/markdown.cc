// The text report's content as Markdown tables, to be pasted into an issue.
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
#include "analyze/report/tail/load_lines.h"
#include "analyze/report/tail/sections.h"
#include "analyze/report/text.h"
#include "analyze/report/tls_lines.h"
#include "analyze/report/triggers.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kLongestName = 120;

// `left` columns hold text, the others numbers.
std::string header(const std::vector<std::string>& names, std::size_t left) {
  std::string first = "|", second = "|";
  for (std::size_t i = 0; i < names.size(); ++i) {
    first += " " + markdown(names[i]) + " |";
    second += i < left ? " --- |" : " ---: |";
  }
  return first + "\n" + second + "\n";
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const auto& c : cells) line += " " + c + " |";
  return line + "\n";
}

std::string quantile(const flow::Quantile& q, Footnotes& notes) {
  const QuantileText text = quantile_text(q, notes);
  std::string out = markdown(text.value);
  if (!text.interval.empty()) out += " (" + markdown(text.interval) + ")";
  if (text.note != 0) out += " \\[" + std::to_string(text.note) + "\\]";
  return out;
}

std::string bodies(std::uint64_t sum, std::uint64_t unknown, std::uint64_t count) {
  if (count <= unknown) return "unknown";
  return bytes_text(sum) + (unknown == 0 ? "" : " + " + count_text(unknown) + " unknown");
}

std::string routes(const flow::Study& study, flow::Role role, std::size_t& left, Footnotes& notes) {
  std::string rows;
  for (const auto& route : study.routes) {
    if (route.role != role || left == 0) continue;
    --left;
    std::vector<std::string> cells = {markdown(shortened(route_title(route), kLongestName)), count_text(route.count),
                                      rate_text(route.per_second), markdown(errors_text(route))};
    for (const auto& q : route.latency) cells.push_back(quantile(q, notes));
    cells.push_back(markdown(quantile_text(route.first_byte[0], notes).value) + " / " +
                    markdown(quantile_text(route.first_byte[3], notes).value));
    cells.push_back(bodies(route.request_bytes, route.request_bytes_unknown, route.count) + " / " +
                    bodies(route.response_bytes, route.response_bytes_unknown, route.count));
    rows += row(cells);
  }
  if (rows.empty()) return {};
  std::vector<std::string> names = {"route", "requests", "rate", "errors"};
  for (const double q : flow::kQuantiles) names.push_back(quantile_name(q));
  names.insert(names.end(), {"first byte p50 / p99", "bodies in / out"});
  std::string signs = signs_text(study, role);
  if (role == study.arrivals.role) signs += (signs.empty() ? "" : " ") + tail::arrivals_text(study);
  return std::string("\n### ") + (role == flow::Role::server ? "Requests served" : "Requests made") + "\n\n" +
         header(names, 1) + rows + (signs.empty() ? "" : "\n" + markdown(signs) + "\n");
}

std::string phases(const flow::RouteStudy& route, const flow::RequestTable& table) {
  const BandTable bands = band_table(route);
  std::string out = "\n### Where the time goes: " + markdown(shortened(route_title(route), kLongestName)) + "\n\n";
  for (const auto& fact : method_facts(route, table)) out += markdown(fact.label + ": " + fact.text) + "\n\n";
  if (const std::string text = route.tail && route.tail->compared() ? "" : difference_text(route); !text.empty())
    out += markdown(text) + "\n\n";
  if (const std::string text = held_up_text(route); !text.empty()) out += markdown("Held up: " + text + ".") + "\n\n";
  if (const std::string text = setup_text(route); !text.empty())
    out += markdown("Set-up of connections: " + text + ".") + "\n\n";
  if (const std::string text = doubt_text(route); !text.empty()) out += markdown(text) + "\n\n";
  std::vector<std::string> names = {""};
  names.insert(names.end(), bands.names.begin(), bands.names.end());
  out += header(names, 1);
  const auto add = [&](std::string name, const auto& values, auto format) {
    std::vector<std::string> cells = {std::move(name)};
    for (const auto& v : values) cells.push_back(format(v));
    out += row(cells);
  };
  const auto share = [](const BandCell& c) {
    if (c.mean == 0) return std::string("·");
    return duration_text(Duration{static_cast<std::int64_t>(c.mean + 0.5)}) + ", " + markdown(share_text(c.share, 1.0));
  };
  add("requests", bands.counts, [](std::uint64_t n) { return count_text(n); });
  add("mean duration", bands.means, [](Duration d) { return d.count() == 0 ? std::string("–") : duration_text(d); });
  for (const auto& r : bands.phases) add(r.name, r.cells, share);
  if (!bands.labels.empty()) add("waits known", bands.labelled_counts, [](std::uint64_t n) { return count_text(n); });
  for (const auto& r : bands.labels) add(r.name, r.cells, share);
  return out;
}

std::string slowest(const flow::Study& study, const flow::RequestTable& requests, const ReportOptions& options) {
  if (study.slowest.empty()) return {};
  std::string out = "\n### Slowest requests\n\n" + header({"id", "request", "result", "where", "duration", "at"}, 4);
  for (std::size_t i = 0; i < std::min(study.slowest.size(), options.slowest); ++i) {
    const auto& r = requests.rows[study.slowest[i]];
    std::string where = dominant_text(r, requests.partitions.parts(r.id));
    for (const auto taint : taints_in(r.taints)) where += "; marked: " + std::string(text_of(taint));
    out += row({id_text(r.id),
                markdown(shortened(request_title(r, requests.texts), kLongestName) +
                         (r.role == flow::Role::client ? " (made)" : "")),
                markdown(outcome_text(r)), markdown(where), duration_text(r.duration),
                markdown(offset_text(r.start, study.begin))});
  }
  return out;
}

}  // namespace

std::string markdown_report(const flow::Study& study, const flow::RequestTable& table, const ReportOptions& options) {
  const auto emphasised = [](Tone tone, const std::string& text) {
    return tone == Tone::alarm ? "**" + text + "**" : text;
  };
  std::string out = "## tailcap report: " + markdown(printable(options.file)) + "\n\n";
  if (!options.scope.empty())
    out += "Only " + markdown(options.scope) + "; the table below is about the whole capture\n\n";
  const QualityLine first = verdict(study);
  out += emphasised(first.tone, markdown(first.text)) + "\n\n" + header({"", ""}, 2);
  for (const auto& line : quality_lines(study))
    out += row({emphasised(line.tone, markdown(line.label)), markdown(line.text)});
  const auto sentences = tail::sentences(study, table.texts, options.routes);
  if (!sentences.empty()) out += "\n### Why the slow requests are slow\n\n";
  for (const auto& said : sentences) out += "- " + markdown(said.text) + "\n";
  const auto list = [&](const char* title, const std::vector<std::string>& lines) {
    if (!lines.empty()) out += std::string("\n### ") + title + "\n\n";
    for (const auto& line : lines) out += "- " + markdown(line) + "\n";
  };
  list(kChangesTitle, change_lines(study));
  list(kTriggersTitle, trigger_lines(study));
  if (const auto lines = health_lines(study.health); !lines.empty()) {
    out += std::string("\n### ") + kHealthTitle + "\n\n```\n";
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) out += lines[i] + "\n";
    out += "```\n\n" + markdown(lines.back()) + "\n";
  }
  Footnotes notes;
  std::size_t left = options.routes;
  out += routes(study, flow::Role::server, left, notes) + routes(study, flow::Role::client, left, notes);
  if (!study.routes.empty())
    out += "\nIn parentheses: 95 % interval within this recording, in the unit of its value.\n";
  for (std::size_t i = 0; i < notes.texts().size(); ++i)
    out += "\n\\[" + std::to_string(i + 1) + "\\] " + markdown(notes.texts()[i]) + "\n";
  if (const std::string text = left_out_text(study, options.routes); !text.empty()) out += "\n" + markdown(text) + "\n";
  std::size_t shown = 0;
  for (const auto role : {flow::Role::server, flow::Role::client})
    for (const auto& route : study.routes)
      if (route.role == role && route.count != 0 && shown < std::min(options.details, options.routes)) {
        const std::string section = tail::markdown_section(route, study, table);
        if (!section.empty())
          out +=
              "\n### Slow against typical: " + markdown(shortened(route_title(route), kLongestName)) + "\n\n" + section;
        const auto lines = tail::load_lines(route, table.texts);
        if (!lines.empty()) out += "\n";
        for (const auto& line : lines) out += "- " + markdown(line.label + ": " + line.text) + "\n";
        out += phases(route, table), ++shown;
      }
  out += grid_markdown(incident_grid(study));
  out += slowest(study, table, options);
  if (!study.tls.empty()) {
    out += "\n### TLS connections\n\n";
    for (const auto& line : tls_lines(study)) out += "- " + markdown(line) + "\n";
  }
  if (!study.names.empty()) {
    out += "\n### Name lookups\n\n";
    for (const auto& line : name_lines(study)) out += "- " + markdown(line) + "\n";
  }
  if (!study.go.empty()) {
    out += "\n### Go programs\n\n";
    for (const auto& line : go_lines(study)) out += "- " + markdown(line) + "\n";
  }
  for (const Grid& grid : go_grids(study)) out += grid_markdown(grid);
  if (!study.failures.empty()) {
    out += "\n### Connections that failed\n\n" + header({"cause", "peer", "count"}, 2);
    for (const auto& f : study.failures)
      out += row(
          {markdown(printable(f.cause)), markdown(shortened(printable(f.peer), kLongestName)), count_text(f.count)});
  }
  return out;
}

}  // namespace tailcap::report
