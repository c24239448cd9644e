#include "analyze/report/summaries/fleet_page.h"

#include <algorithm>
#include <cmath>

#include "analyze/report/summaries/band_words.h"
#include "analyze/report/summaries/course_svg.h"
#include "analyze/report/summaries/summaries.h"
#include "analyze/report/summaries/words.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using model::FleetRoute;
using model::FleetService;
using model::FleetStudy;
using model::ServiceHealth;
using model::TimeShare;
using render::Column;
using render::Document;
using render::List;
using render::Table;
using render::Tone;

constexpr std::size_t kInSentence = 3;  // labels or callees

std::string route_name(const formats::SummaryRoute& r) {
  return name_text(r.method.empty() ? r.route : r.method + " " + r.route);
}

std::string since_text(const FleetService& s) {
  return "since " + minute_text(s.since) + " UTC" + (s.lasts ? "" : ", not in the last hour");
}

std::string anchor_of(const FleetStudy& study, const FleetService& s) {
  return "service-" + std::to_string(static_cast<std::size_t>(&s - study.services.data()) + 1);
}

std::string label_words(const std::string& name) {
  const auto label = model::label_of(name);
  return label ? std::string(model::text_of(*label)) : printable(name);
}

// "waiting for another service 120 ms (before: 12.0 ms)".
std::string share_words(const TimeShare& share, bool label) {
  std::string out = (label ? label_words(share.name) : name_text(share.name)) + " " + nanoseconds_text(share.now);
  if (share.before) out += *share.before > 0 ? " (before: " + nanoseconds_text(*share.before) + ")" : " (before: none)";
  return out;
}

std::string shares_words(const std::vector<TimeShare>& shares, bool labels) {
  std::string out;
  for (std::size_t i = 0; i < std::min(kInSentence, shares.size()); ++i)
    out += (i == 0 ? "" : ", ") + share_words(shares[i], labels);
  return out;
}

// "waiting for another service 120 ms, on CPU 12.0 ms".
std::string label_list(const std::vector<TimeShare>& labels) {
  std::string out;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, labels.size()); ++i)
    out += (i == 0 ? "" : ", ") + label_words(labels[i].name) + " " + nanoseconds_text(labels[i].now);
  return out;
}

std::string hours_words(std::int64_t from, std::int64_t to) {
  return minute_text(from) + " to " + minute_text(to).substr(11);
}

std::string limit_words(const FleetStudy& study, std::size_t at) {
  const model::SloWeek& limit = study.scorecard.limits[at];
  const auto& objective = study.scorecard.slos[limit.slo].objectives[limit.objective];
  return std::string(name_of(objective.metric)) + " ≤ " + printable(objective.text) + " is broken " +
         burn_text(limit.burning) + " times as often as it may be";
}

// What is wrong. times: with the hours of each.
std::vector<std::string> troubles_of(const FleetStudy& study, const FleetService& s, bool times) {
  std::vector<std::string> out;
  for (const auto& outside : s.outside)
    out.push_back(outside_words(outside) + (times ? ", " + hours_words(outside.from, outside.to) : ""));
  for (const std::size_t at : s.limits) {
    const model::SloWeek& limit = study.scorecard.limits[at];
    out.push_back(limit_words(study, at) + (times ? ", " + hours_words(limit.burning_since, limit.burning_until) : ""));
  }
  return out;
}

std::string joined_texts(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "" : "; ") + text;
  return out;
}

const FleetRoute* worst_route(const FleetStudy& study, const std::string& service) {
  for (const FleetRoute& route : study.routes)
    if (route.route.service == service) return &route;
  return nullptr;
}

render::Facts fleet_facts(const FleetStudy& study) {
  render::Facts facts;
  facts.boxed = true;
  const auto count = [&](ServiceHealth health) {
    return static_cast<std::size_t>(
        std::ranges::count(study.services, health, [](const FleetService& s) { return s.health; }));
  };
  const std::size_t bad = count(ServiceHealth::not_well), well = count(ServiceHealth::well);
  std::string result;
  if (bad > 0) {
    result = count_text(bad) + " of " + count_text(study.services.size(), "service", "services") +
             (bad == 1 ? " is not well: " : " are not well: ");
    for (std::size_t i = 0; i < std::min(bad, kInSentence); ++i)
      result += (i == 0 ? "" : ", ") + name_text(study.services[i].service) + " " + since_text(study.services[i]);
    if (bad > kInSentence) result += " and others";
  } else {
    result = well == 0 ? "no service could be judged"
                       : count_text(well) + " of " + count_text(study.services.size(), "service", "services") +
                             (well == 1 ? " is well" : " are well");
    if (well > 0 && well < study.services.size()) result += "; the others could not be judged";
  }
  facts.verdict = render::Facts::Line{bad > 0 ? Tone::alarm : well == 0 ? Tone::care : Tone::plain, "result", result};
  facts.lines.push_back(
      {Tone::plain, "judged by",
       minute_text(study.latest) + " to " + minute_text(study.to) + " UTC" +
           (study.no_baseline.empty() ? ", against " + count_text(study.baseline.days, "day", "days") + " from " +
                                            day_text(study.baseline.from)
                                      : "") +
           (study.with_limits ? ", and by limits" : "")});
  if (!study.no_baseline.empty()) facts.lines.push_back({Tone::care, "no baseline", study.no_baseline});
  if (!study.with_limits)
    facts.lines.push_back({Tone::care, "no limits", "--slo FILE names what services have promised"});
  facts.lines.push_back({Tone::plain, "data",
                         count_text(study.requests, "request", "requests") + " served, " +
                             count_text(study.files.size(), "capture", "captures") + " of " +
                             count_text(study.hosts, "host", "hosts") + ", " + minute_text(study.from) + " to " +
                             minute_text(study.to)});
  if (study.incomplete > 0)
    facts.lines.push_back({Tone::care, "missing",
                           count_text(study.incomplete, "capture is", "captures are") + " incomplete, " +
                               count_text(study.lost, "event", "events") + " lost: counts are lower bounds"});
  return facts;
}

void add_not_well(Document& out, const FleetStudy& study) {
  List list;
  list.boxed = true;
  for (const FleetService& s : study.services) {
    if (s.health != ServiceHealth::not_well) continue;
    List::Item item;
    item.accent = s.lasts ? List::Accent::severe : List::Accent::notable;
    item.text.runs = {{name_text(s.service), {}, true},
                      {" " + since_text(s) + ": " + joined_texts(troubles_of(study, s, false)) + ".", {}, false}};
    if (!s.labels.empty())
      item.text.runs.push_back({" A request spends its time on: " + shares_words(s.labels, true) + ".", {}, false});
    if (!s.callees.empty())
      item.text.runs.push_back({" Its calls: " + shares_words(s.callees, false) + ".", {}, false});
    if (const FleetRoute* route = worst_route(study, s.service))
      item.text.runs.push_back({" Worst route: " + route_name(route->route) + ".", {}, false});
    item.links.push_back({"more about it", anchor_of(study, s), false});
    list.items.push_back(std::move(item));
  }
  if (!list.items.empty()) out.add(std::move(list));
}

render::Cell health_cell(const FleetService& s) {
  render::Cell cell(std::string(s.health == ServiceHealth::not_well ? "not well"
                                : s.health == ServiceHealth::well   ? "well"
                                                                    : "not judged"));
  if (s.health == ServiceHealth::not_well) cell.tone = s.lasts ? Tone::alarm : Tone::care;
  return cell;
}

render::Cell time_cell(const std::optional<double>& ns) {
  render::Cell cell(nanoseconds_text(ns));
  cell.sort_key = ns.value_or(-1);
  return cell;
}
render::Cell number_cell(std::string text, double key) {
  render::Cell cell(std::move(text));
  cell.sort_key = key;
  return cell;
}
render::Cell share_cell(std::uint64_t part, std::uint64_t all) {
  return number_cell(all == 0 ? "–" : share_text(part, all),
                     all == 0 ? -1 : 1e6 * static_cast<double>(part) / static_cast<double>(all));
}

void add_services(Document& out, const FleetStudy& study) {
  out.heading(2, "Services");
  Table table;
  table.sortable = true;
  table.columns = {{"service", Column::Kind::name},
                   {"state", Column::Kind::word},
                   {"requests"},
                   {"failed"},
                   {"p50"},
                   {"p95"},
                   {"p99"},
                   {"p95 by hour", Column::Kind::picture},
                   {"time", Column::Kind::name}};
  for (const FleetService& s : study.services) {
    render::Row row;
    render::Cell name(name_text(s.service));
    name.link = anchor_of(study, s);
    render::Cell course;
    course.picture = course_svg(s.course, s.health == ServiceHealth::not_well ? s.since : 0);
    row.cells = {std::move(name),
                 health_cell(s),
                 number_cell(count_text(s.requests), static_cast<double>(s.requests)),
                 share_cell(s.failed, s.judged),
                 time_cell(s.p50),
                 time_cell(s.p95),
                 time_cell(s.p99),
                 std::move(course),
                 label_list(s.labels)};
    table.rows.push_back(std::move(row));
  }
  out.add(std::move(table));
  out.note("Requests, percentiles and time are of " + minute_text(study.latest) + " to " + minute_text(study.to) +
           " UTC; time is the mean of a request, since the service is not well where it is not.");
}

void add_service(Document& out, const FleetStudy& study, const FleetService& s) {
  out.heading(3, name_text(s.service), anchor_of(study, s));
  const std::vector<std::string> troubles = troubles_of(study, s, true);
  if (!troubles.empty()) out.list(troubles);
  if (!s.unjudged.empty()) out.paragraph("Not judged: " + printable(joined_texts(s.unjudged)) + ".", Tone::care);
  const auto table_of = [&](const char* what, const std::vector<TimeShare>& shares, bool labels) {
    if (shares.empty()) return;
    Table table;
    table.columns = {{what, Column::Kind::name}, {"a request"}, {"before"}};
    for (const TimeShare& share : shares)
      table.rows.push_back({{labels ? label_words(share.name) : name_text(share.name), nanoseconds_text(share.now),
                             !share.before       ? "–"
                             : *share.before > 0 ? nanoseconds_text(*share.before)
                                                 : "none"}});
    out.add(std::move(table));
  };
  table_of("what its time is spent on", s.labels, true);
  table_of("calls to", s.callees, false);
}

void add_routes(Document& out, const FleetStudy& study, std::size_t most) {
  out.heading(2, "Worst routes");
  Table table;
  table.sortable = true;
  table.columns = {{"service", Column::Kind::name},
                   {"route", Column::Kind::name},
                   {"requests"},
                   {"failed"},
                   {"p50"},
                   {"p95"},
                   {"p95 before"},
                   {"p99"}};
  for (std::size_t i = 0; i < std::min(most, study.routes.size()); ++i) {
    const FleetRoute& r = study.routes[i];
    const formats::DurationSketch all = r.now.all();
    const auto percentile = [&](double q, std::uint64_t least) {
      return all.count() < least ? std::nullopt : all.quantile(q);
    };
    table.rows.push_back(
        {{name_text(r.route.service), route_name(r.route),
          number_cell(count_text(r.now.requests), static_cast<double>(r.now.requests)),
          share_cell(r.now.failed, r.now.judged), time_cell(percentile(0.5, 1)), time_cell(percentile(0.95, 100)),
          time_cell(r.before_p95), time_cell(percentile(0.99, 400))}});
  }
  out.add(std::move(table));
  more_rows(out, study.routes.size(), most);
  out.note(
      "First those of which one in a hundred or more failed, then those whose p95 is 20 % longer than before, then "
      "the slow ones.");
}

void add_edges(Document& out, const FleetStudy& study, std::size_t most) {
  if (study.edges.empty()) return;
  out.heading(2, "Calls between services");
  Table table;
  table.sortable = true;
  table.columns = {{"from", Column::Kind::name}, {"to", Column::Kind::name}, {"calls"}, {"failed"}, {"p50"}, {"p95"}};
  for (std::size_t i = 0; i < std::min(most, study.edges.size()); ++i) {
    const auto& [edge, cell] = study.edges[i];
    table.rows.push_back({{name_text(edge.from), name_text(edge.to),
                           number_cell(count_text(cell.requests), static_cast<double>(cell.requests)),
                           share_cell(cell.failed, cell.requests), time_cell(cell.durations.quantile(0.5)),
                           time_cell(cell.durations.count() < 100 ? std::nullopt : cell.durations.quantile(0.95))}});
  }
  out.add(std::move(table));
  more_rows(out, study.edges.size(), most);
}

void add_versions(Document& out, const FleetStudy& study, std::size_t most) {
  if (study.deployments.empty()) return;
  out.heading(2, "Versions");
  Table table;
  table.sortable = true;
  table.columns = {{"service", Column::Kind::name},
                   {"host", Column::Kind::name},
                   {"note", Column::Kind::word},
                   {"value", Column::Kind::name},
                   {"at (UTC)", Column::Kind::word}};
  for (std::size_t i = 0; i < std::min(most, study.deployments.size()); ++i) {
    const auto& d = study.deployments[i];
    table.rows.push_back({{name_text(d.service), name_text(d.host), printable(d.name), name_text(d.value),
                           number_cell(minute_text(d.at), static_cast<double>(d.at / 1'000'000'000))}});
  }
  out.add(std::move(table));
  more_rows(out, study.deployments.size(), most);
  out.note("Notes deploy and version are of a recording: they stand for each service that it recorded.");
}

void add_fleet_files(Document& out, const FleetStudy& study, std::size_t most) {
  if (study.files.empty()) return;
  out.heading(2, "Captures");
  Table table;
  table.columns = {{"capture", Column::Kind::name},
                   {"host", Column::Kind::name},
                   {"from (UTC)", Column::Kind::word},
                   {"to", Column::Kind::word},
                   {"lost"},
                   {"", Column::Kind::word}};
  for (std::size_t i = 0; i < std::min(most, study.files.size()); ++i) {
    const auto& [capture, target] = study.files[i];
    render::Cell name(target.empty() ? name_text(capture.id.substr(0, 12)) : printable(target));
    name.outside = target;
    table.rows.push_back({{std::move(name), name_text(capture.host), minute_text(capture.began),
                           minute_text(capture.ended), count_text(capture.lost), capture.whole ? "" : "incomplete"}});
  }
  out.add(std::move(table));
  more_rows(out, study.files.size(), most);
}

}  // namespace

Document fleet_page(const FleetStudy& study, std::size_t most) {
  Document out;
  out.heading(1, "tailcap fleet");
  out.add(fleet_facts(study));
  add_not_well(out, study);
  add_services(out, study);
  add_routes(out, study, most);
  add_edges(out, study, most);
  out.heading(2, "Each service");
  for (const FleetService& s : study.services) add_service(out, study, s);
  add_score(out, study.scorecard);
  add_versions(out, study, most);
  add_fleet_files(out, study, most);
  out.note(
      "Percentiles are at most 2.2 % away from the exact ones. What is outside of a baseline is so by chance on one "
      "day in 100 of each service.");
  return out;
}

}  // namespace tailcap::report
