#include "analyze/report/html.h"

#include <algorithm>

#include "analyze/render/page.h"
#include "analyze/report/bands.h"
#include "analyze/report/calls.h"
#include "analyze/report/changes.h"
#include "analyze/report/escape.h"
#include "analyze/report/go_grids.h"
#include "analyze/report/go_lines.h"
#include "analyze/report/health.h"
#include "analyze/report/held_up.h"
#include "analyze/report/html_parts.h"
#include "analyze/report/incident_grid.h"
#include "analyze/report/name_lines.h"
#include "analyze/report/number.h"
#include "analyze/report/page_flames.h"
#include "analyze/report/setup_text.h"
#include "analyze/report/tail/load_lines.h"
#include "analyze/report/tail/tail_html.h"
#include "analyze/report/tls_lines.h"
#include "analyze/report/triggers.h"
#include "analyze/report/words.h"

namespace tailcap::report {
namespace {

std::string quantile_cell(const flow::Quantile& q, Footnotes& notes) {
  const QuantileText text = quantile_text(q, notes);
  std::string inner = html(text.value);
  if (q.support != flow::Support::full) inner = "<span class=\"warn\">" + inner + "</span>";
  if (text.note != 0) inner += "<sup>" + std::to_string(text.note) + "</sup>";
  if (!text.interval.empty()) inner += "<span class=\"ci\">" + html(text.interval) + "</span>";
  const bool number = q.support != flow::Support::refused;
  const auto key = q.support == flow::Support::lower_only ? q.low : q.value;
  return cell(inner, number ? static_cast<double>(key.count()) : -1, exact_quantile_text(q));
}

// Bodies of requests and responses: their sums, and one of them on average.
std::string bytes_cell(const flow::RouteStudy& route) {
  const auto mean = [&](std::uint64_t sum, std::uint64_t unknown) {
    return route.count > unknown ? bytes_text(sum / (route.count - unknown)) : std::string("unknown");
  };
  const auto hint = [&](std::string_view what, std::uint64_t sum, std::uint64_t unknown) {
    return std::string(what) + " " + count_text(sum) + " bytes" +
           (unknown == 0 ? "" : ", unknown for " + count_text(unknown, "request", "requests"));
  };
  return cell(mean(route.request_bytes, route.request_bytes_unknown) + " / " +
                  mean(route.response_bytes, route.response_bytes_unknown) + "<span class=\"ci\">in all " +
                  bytes_text(route.request_bytes) + (route.request_bytes_unknown == 0 ? "" : "+") + " / " +
                  bytes_text(route.response_bytes) + (route.response_bytes_unknown == 0 ? "" : "+") + "</span>",
              static_cast<double>(route.response_bytes),
              hint("requests", route.request_bytes, route.request_bytes_unknown) + "; " +
                  hint("responses", route.response_bytes, route.response_bytes_unknown));
}

// Median on top, p99 below.
std::string first_byte_cell(const flow::RouteStudy& route, Footnotes& notes) {
  const auto& p50 = route.first_byte[0];
  const auto& p99 = route.first_byte[3];
  return cell(html(quantile_text(p50, notes).value) + "<span class=\"ci\">p99 " +
                  html(quantile_text(p99, notes).value) + "</span>",
              p50.support == flow::Support::refused ? -1 : static_cast<double>(p50.value.count()),
              exact_quantile_text(p50) + "; " + exact_quantile_text(p99));
}

std::string routes_table(const flow::Study& study, flow::Role role) {
  Footnotes notes;
  std::string rows;
  for (std::size_t i = 0; i < std::min(study.routes.size(), kRoutesInPage); ++i) {
    const auto& route = study.routes[i];
    if (route.role != role) continue;
    const std::string title = html(shortened(route_title(route), 200));
    const std::uint64_t errors = route.client_errors + route.server_errors + route.other_failures;
    rows += "<tr><td class=\"name long\">" +
            (i < kSectionsInPage ? "<a href=\"#route-" + std::to_string(i + 1) + "\">" + title + "</a>" : title) +
            "<span class=\"ci\">" + html(shortened(printable(route.comm), 60)) + "</span></td>";
    std::string count = count_text(route.count) + "<span class=\"ci\">" + rate_text(route.per_second) + "</span>";
    if (route.incomplete != 0) count += "<span class=\"ci\">+" + count_text(route.incomplete) + " incomplete</span>";
    if (route.tainted != 0) count += "<span class=\"ci warn\">" + count_text(route.tainted) + " marked</span>";
    rows += cell(count, static_cast<double>(route.count));
    rows += cell(errors == 0 ? "0" : "<span class=\"bad\">" + html(errors_text(route)) + "</span>",
                 static_cast<double>(errors), errors_in_words(route));
    for (const auto& q : route.latency) rows += quantile_cell(q, notes);
    rows += first_byte_cell(route, notes) + bytes_cell(route) + "</tr>\n";
  }
  if (rows.empty()) return {};
  std::string out = role == flow::Role::server ? "<h2>Requests served</h2>\n" : "<h2>Requests made</h2>\n";
  out +=
      "<div class=\"wide\"><table class=\"sortable\">\n<thead><tr><th "
      "class=\"name\">route</th><th>requests</th><th>errors</th>";
  for (const double q : flow::kQuantiles) out += element("th", quantile_name(q));
  out += "<th>first byte p50</th><th>bodies, in / out</th></tr></thead>\n<tbody>\n" + rows + "</tbody></table></div>\n";
  return out +
         element("p",
                 "Below each percentile its 95 % interval within this recording, in the same unit. " +
                     signs_text(study, role),
                 "class=\"soft\"") +
         "\n" +
         (role == study.arrivals.role && study.arrivals.closed_loop
              ? element("p", tail::arrivals_text(study), "class=\"soft\"") + "\n"
              : "") +
         notes_html(notes);
}

std::string figures_of(const flow::Figures& figures, std::optional<std::size_t> route) {
  std::string out;
  for (const auto& figure : figures.drawn)
    if (figure.route == route && !is_flame(figure))
      out += "<figure>\n" + figure.image + element("figcaption", figure.caption) + "</figure>\n";
  return out;
}

std::string bands_html(const flow::RouteStudy& route) {
  const BandTable bands = band_table(route);
  const auto row = [](std::string_view name, const auto& values, auto format) {
    std::string out = "<tr>" + element("td", name, "class=\"name\"");
    for (const auto& v : values) out += format(v);
    return out + "</tr>\n";
  };
  const auto count = [](std::uint64_t n) { return element("td", count_text(n)); };
  const auto mean = [](Duration d) {
    return d.count() == 0 ? std::string("<td>–</td>")
                          : "<td title=\"" + exact_text(d) + "\">" + duration_text(d) + "</td>";
  };
  const auto share = [](const BandCell& c) {
    if (c.mean == 0) return std::string("<td>·</td>");
    const Duration d{static_cast<std::int64_t>(c.mean + 0.5)};
    return "<td title=\"" + exact_text(d) + "\">" + duration_text(d) + "<span class=\"ci\">" +
           html(share_text(c.share, 1.0)) + "</span></td>";
  };
  std::string out =
      "<details><summary>The same in numbers</summary>\n<div class=\"wide\"><table>\n<thead><tr><th "
      "class=\"name\"></th>";
  for (const auto& name : bands.names) out += element("th", name);
  out += "</tr></thead>\n<tbody>\n" + row("requests", bands.counts, count) + row("mean duration", bands.means, mean);
  for (const auto& r : bands.phases) out += row(r.name, r.cells, share);
  if (!bands.labels.empty()) {
    out += row("waits known for", bands.labelled_counts, count) +
           row("mean duration of those", bands.labelled_means, mean);
    for (const auto& r : bands.labels) out += row(r.name, r.cells, share);
  }
  return out + "</tbody></table></div></details>\n";
}

// One request as a line: its numbers and where its time went, drawn to the scale of the slowest.
std::string request_row(const flow::Study& study, const flow::Request& row, const flow::RequestTable& requests,
                        const flow::Figures& figures, std::int64_t scale) {
  std::string marks;
  for (const auto taint : taints_in(row.taints)) marks += (marks.empty() ? "" : "; ") + std::string(text_of(taint));
  std::string out =
      "<tr><td class=\"left\"><code>" + id_text(row.id) + "</code>" + samples_link(figures, row.id) + "</td>";
  out += cell(duration_text(row.duration), static_cast<double>(row.duration.count()), exact_text(row.duration));
  const std::string dominant = dominant_text(row, requests.partitions.parts(row.id));
  const auto labels = tail::label_stretches(requests, row.id);
  out += "<td title=\"" + html(dominant) + "\">" + bar_html(labels.empty() ? phase_stretches(row) : labels, scale) +
         "</td>";
  out += element("td", outcome_text(row), "class=\"left\"");
  out += "<td class=\"name long\">" + html(shortened(request_title(row, requests.texts), 300)) +
         (row.role == flow::Role::client ? " <span class=\"soft\">(made)</span>" : "") + "<span class=\"ci\">" +
         html(dominant) + "</span>" +
         (marks.empty() ? "" : "<span class=\"ci warn\">marked: " + html(marks) + "</span>") + "</td>";
  const std::string wall =
      study.quality.realtime_offset == 0
          ? ""
          : utc_text(study.quality.clock.known() ? study.quality.clock.realtime(row.start)
                                                 : formats::nanoseconds(row.start) + study.quality.realtime_offset,
                     6);
  return out +
         cell(html(offset_text(row.start, study.begin)), static_cast<double>(formats::nanoseconds(row.start)), wall) +
         "</tr>\n";
}

std::vector<Stretch> used(const flow::RequestTable& requests, const std::vector<std::uint32_t>& shown) {
  std::vector<Stretch> entries;
  for (const auto i : shown)
    for (const auto& s : phase_stretches(requests.rows[i]))
      if (s.ns > 0 && std::ranges::none_of(entries, [&](const Stretch& e) { return e.name == s.name; }))
        entries.push_back(s);
  return entries;
}

std::string slowest_table(const flow::Study& study, const flow::RequestTable& requests, const flow::Figures& figures,
                          std::vector<std::uint32_t> shown, std::size_t limit) {
  if (shown.empty()) return {};
  shown.resize(std::min(shown.size(), limit));
  std::int64_t scale = 1;
  for (const auto i : shown) scale = std::max<std::int64_t>(scale, requests.rows[i].duration.count());
  const bool labelled = requests.partitions.size() > 0;
  std::string out = labelled ? tail::group_legend_html() : legend_html(used(requests, shown));
  out +=
      "<div class=\"wide\"><table class=\"sortable\">\n<thead><tr><th class=\"left\">id</th><th>duration</th><th "
      "class=\"left\">where the time went</th><th class=\"left\">result</th>"
      "<th class=\"name\">request</th><th>began</th></tr></thead>\n<tbody>\n";
  for (const auto i : shown) out += request_row(study, requests.rows[i], requests, figures, scale);
  return out + "</tbody></table></div>\n";
}

std::string route_section(const flow::Study& study, const flow::RequestTable& table, const flow::Figures& figures,
                          std::span<const flow::Course> courses, std::size_t i) {
  const auto& route = study.routes[i];
  std::string out =
      "<h3 id=\"route-" + std::to_string(i + 1) + "\">" + html(shortened(route_title(route), 300)) + "</h3>\n";
  out += element("p",
                 std::string(route.role == flow::Role::server ? "Served" : "Made") +
                     (route.comm.empty() ? "" : " by " + shortened(printable(route.comm), 100)) + ": " +
                     count_text(route.count, "request", "requests") + ", " + rate_text(route.per_second),
                 "class=\"soft\"") +
         "\n";
  out += tail::section_html(route, study, table, courses);
  auto facts = method_facts(route, table);
  for (auto& line : tail::load_lines(route, table.texts)) facts.push_back(std::move(line));
  if (!facts.empty()) {
    out += "<dl class=\"quality\">\n";
    for (const auto& fact : facts) {
      const std::string tone = fact.tone == Tone::plain ? "class=\"plain\"" : "class=\"care\"";
      out += element("dt", fact.label, tone) + element("dd", fact.text, tone) + "\n";
    }
    out += "</dl>\n";
  }
  if (const std::string text = route.tail && route.tail->compared() ? "" : difference_text(route); !text.empty())
    out += element("p", text) + "\n";
  if (const std::string text = held_up_text(route); !text.empty()) out += element("p", "Held up: " + text + ".") + "\n";
  if (const std::string text = setup_text(route); !text.empty())
    out += element("p", "Set-up of connections: " + text + ".") + "\n";
  out += figures_of(figures, i);
  if (const std::string text = doubt_text(route); !text.empty()) out += element("p", text, "class=\"warn\"") + "\n";
  return out + (route.bands.empty() ? "" : bands_html(route));
}

std::string failures_table(const flow::Study& study) {
  if (study.failures.empty()) return {};
  std::string out =
      "<h2>Connections that failed</h2>\n<div class=\"wide\"><table class=\"sortable\">\n<thead><tr><th>count</th><th "
      "class=\"name\">cause</th>"
      "<th class=\"name\">peer</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < std::min(study.failures.size(), kRoutesInPage); ++i) {
    const auto& f = study.failures[i];
    out += "<tr>" + cell(count_text(f.count), static_cast<double>(f.count)) +
           element("td", printable(f.cause), "class=\"name\"") +
           element("td", shortened(printable(f.peer), 200), "class=\"name\"") + "</tr>\n";
  }
  out += "</tbody></table></div>\n";
  if (study.failures.size() > kRoutesInPage)
    out +=
        element("p", count_text(study.failures.size() - kRoutesInPage) + " more kinds not shown.", "class=\"soft\"") +
        "\n";
  return out;
}

std::string list(std::string_view title, const std::vector<std::string>& lines) {
  if (lines.empty()) return {};
  std::string out = element("h2", title) + "\n<ul>\n";
  for (const auto& line : lines) out += element("li", line) + "\n";
  return out + "</ul>\n";
}

}  // namespace

std::string html_report(const flow::Study& study, const flow::RequestTable& table, const flow::Figures& figures,
                        const ReportOptions& options, std::span<const flow::Course> courses) {
  std::string body = element("h1", "tailcap report: " + printable(options.file)) + "\n";
  if (!options.scope.empty())
    body += element("p", "Only " + options.scope + "; the box is about the whole capture.", "class=\"warn\"") + "\n";
  // The first screen: can it be trusted, why is it slow, what changed, who was well, where the time went.
  body += quality_box_html(study) + tail::verdicts_html(study, table.texts, kSectionsInPage) +
          list(kChangesTitle, change_lines(study)) + list(kTriggersTitle, trigger_lines(study));
  const std::string health = health_html(study.health), flame = slow_flame_html(figures);
  if (!health.empty() || !flame.empty()) body += "<div class=\"card\">\n" + health + flame + "</div>\n";
  body += routes_table(study, flow::Role::server) + routes_table(study, flow::Role::client);
  if (const std::string text = left_out_text(study, kRoutesInPage); !text.empty())
    body += element("p", text + " `tailcap report --json` has them all.", "class=\"soft\"") + "\n";
  body += figures_of(figures, std::nullopt);
  if (!figures.trouble.empty())
    body += element("p", "No plots: " + printable(figures.trouble) + ".", "class=\"warn\"") + "\n";
  if (!study.routes.empty()) body += "<h2>Route by route</h2>\n";
  for (std::size_t i = 0; i < std::min(study.routes.size(), kSectionsInPage); ++i)
    body += route_section(study, table, figures, courses, i);
  if (study.routes.size() > kSectionsInPage)
    body +=
        element("p",
                left_out_text(study, kSectionsInPage) + " The sections above are of the routes with most total time.",
                "class=\"soft\"") +
        "\n";
  body += grid_html(incident_grid(study));
  if (!study.slowest.empty()) {
    body += "<h2>Slowest requests</h2>\n" + slowest_table(study, table, figures, study.slowest, kSlowestInPage);
    body += element("p",
                    "One of them in full: tailcap show " + printable(options.file) + " " +
                        id_text(table.rows[study.slowest[0]].id),
                    "class=\"soft\"") +
            "\n";
  }
  body += sampled_requests_html(figures);
  body += list("TLS connections", tls_lines(study)) + list("Name lookups", name_lines(study)) +
          list("Go programs", go_lines(study));
  for (const Grid& grid : go_grids(study)) body += grid_html(grid);
  body += failures_table(study);
  body += definitions_html() + footer_html(study);
  return render::page("tailcap report: " + printable(options.file), body);
}

}  // namespace tailcap::report
