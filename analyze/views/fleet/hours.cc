#include "analyze/views/fleet/hours.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "analyze/export/tab_separated.h"
#include "analyze/summaries/fleet.h"
#include "analyze/views/fleet/cells.h"
#include "analyze/views/summaries/summarise.h"

namespace tailcap::views {
namespace {

using exports::TabSeparated;
using formats::DurationSketch;
using formats::Summary;

constexpr std::int64_t kHourWindow = 3'600'000'000'000;  // ns
constexpr std::size_t kMostAnswer = 512u << 20;          // bytes

constexpr auto kServiceHourNames =
    std::to_array<std::string_view>({"capture_id", "day", "hour_ns", "service", "role", "requests", "judged", "failed",
                                     "client_errors", "zero", "sum_ns", "bucket", "count", "label", "label_ns"});
constexpr auto kRouteHourNames = std::to_array<std::string_view>(
    {"capture_id", "day", "hour_ns", "service", "role", "method", "route", "requests", "judged", "failed",
     "client_errors", "zero", "sum_ns", "bucket", "count", "label", "label_ns"});
constexpr auto kCallHourNames = std::to_array<std::string_view>(
    {"capture_id", "day", "hour_ns", "caller", "callee", "requests", "failed", "zero", "sum_ns", "bucket", "count"});
constexpr auto kDeploymentNames =
    std::to_array<std::string_view>({"capture_id", "day", "at_ns", "service", "host", "name", "value"});

void put_sketch(TabSeparated& row, const DurationSketch& sketch) {
  std::vector<std::int64_t> buckets, counts;
  for (const auto& [bucket, count] : sketch.buckets()) {
    buckets.push_back(bucket);
    counts.push_back(static_cast<std::int64_t>(std::min<std::uint64_t>(count, INT64_MAX)));
  }
  row.natural(sketch.zero());
  row.natural(sketch.sum());
  row.integers(buckets);
  row.integers(counts);
}

DurationSketch taken_sketch(AnswerCells& cells) {
  DurationSketch out;
  const std::uint64_t zero = cells.natural(), sum = cells.natural();
  const std::vector<std::int64_t> buckets = cells.integers();
  const std::vector<std::uint64_t> counts = cells.naturals();
  if (buckets.size() != counts.size()) foreign_answer();
  for (std::size_t i = 0; i < buckets.size(); ++i)
    if (buckets[i] < DurationSketch::kLowest || buckets[i] > DurationSketch::kHighest ||
        !out.append(static_cast<std::int32_t>(buckets[i]), counts[i]))
      foreign_answer();
  out.set_rest(zero, sum);
  return out;
}

class HourRows {
 public:
  HourRows(const Summary& summary, const std::string& begin) : summary_(summary), begin_(begin), row_(text_) {}

  std::string of(std::string_view table) {
    if (table == kDeployment) add_deployments();
    for (const auto& [start, window] : summary_.windows) {
      if (table == kServiceHour) add_services(start, window);
      if (table == kRouteHour)
        for (const auto& [route, cell] : window.routes) add_route(start, route, cell);
      if (table == kCallHour)
        for (const auto& [edge, cell] : window.edges) add_call(start, edge, cell);
    }
    return std::move(text_);
  }

 private:
  void begin(std::int64_t time) {
    text_ += begin_;
    row_.integer(time);
  }

  void add_services(std::int64_t start, const formats::SummaryWindow& window) {
    std::map<std::pair<std::string, std::string>, formats::RouteCell> sums;
    for (const auto& [route, cell] : window.routes) formats::add_cell(sums[{route.service, route.role}], cell);
    for (const auto& [key, cell] : sums) {
      begin(start);
      row_.text(key.first);
      row_.text(key.second);
      put_cell(cell);
    }
  }

  void add_route(std::int64_t start, const formats::SummaryRoute& route, const formats::RouteCell& cell) {
    begin(start);
    for (const std::string* name : {&route.service, &route.role, &route.method, &route.route}) row_.text(*name);
    put_cell(cell);
  }

  void put_cell(const formats::RouteCell& cell) {
    for (const std::uint64_t n : {cell.requests, cell.judged, cell.failed, cell.client_errors}) row_.natural(n);
    put_sketch(row_, cell.all());
    std::vector<std::string_view> labels;
    std::vector<std::int64_t> times;
    for (const auto& [label, sketch] : cell.labels) {
      labels.push_back(label);
      times.push_back(static_cast<std::int64_t>(std::min<std::uint64_t>(sketch.sum(), INT64_MAX)));
    }
    row_.texts(labels);
    row_.integers(times);
    row_.end_row();
  }

  void add_call(std::int64_t start, const formats::SummaryEdge& edge, const formats::CallCell& cell) {
    begin(start);
    row_.text(edge.from);
    row_.text(edge.to);
    row_.natural(cell.requests);
    row_.natural(cell.failed);
    put_sketch(row_, cell.durations);
    row_.end_row();
  }

  void add_deployments() {
    for (const formats::SummaryDeployment& d : summary_.deployments) {
      begin(d.at);
      for (const std::string* text : {&d.service, &d.host, &d.name, &d.value}) row_.text(*text);
      row_.end_row();
    }
  }

  const Summary& summary_;
  const std::string& begin_;
  std::string text_;
  TabSeparated row_;
};

// Rows of captures that are there as a whole: the one in `capture` comes last.
constexpr const char* kWhole = " WHERE capture_id GLOBAL IN (SELECT capture_id FROM capture FINAL)";

// As take_cell() reads them.
constexpr const char* kSums =
    "sum(requests), sum(judged), sum(failed), sum(client_errors), sum(zero), sum(sum_ns), "
    "tupleElement(sumMap(bucket, count), 1), tupleElement(sumMap(bucket, count), 2)";

class HourReader {
 public:
  HourReader(const exports::Endpoint& endpoint, std::int64_t latest, bool hours_of_routes)
      : server_(with_room(endpoint)), latest_(latest), hours_of_routes_(hours_of_routes) {
    sums_.hours.window = sums_.detail.window = kHourWindow;
  }

  FleetSums read() {
    captures();
    if (out_.windows.empty()) return std::move(sums_);
    hours();
    hourly_calls();
    detail();
    deployments();
    return std::move(sums_);
  }

 private:
  static exports::Endpoint with_room(exports::Endpoint endpoint) {
    endpoint.most_answer = kMostAnswer;
    return endpoint;
  }
  std::vector<AnswerRow> rows(const std::string& query) {
    return exports::tab_rows(server_.post(query, "text/plain", "/?database=tailcap&wait_end_of_query=1"));
  }

  static std::string name_in(AnswerCells& cells) {
    std::string out = cells.text();
    if (out.size() > formats::kMostTextBytes) foreign_answer();
    return out;
  }
  formats::SummaryWindow& window_in(AnswerCells& cells) { return window_in(cells, out_); }
  static formats::SummaryWindow& window_in(AnswerCells& cells, Summary& of) {
    const std::int64_t start = cells.integer();
    if (start % kHourWindow != 0 || start < formats::kEarliest || start > formats::kLatest) foreign_answer();
    return window_at(start, of);
  }
  static formats::SummaryWindow& window_at(std::int64_t start, Summary& of) {
    formats::SummaryWindow& window = of.windows[start];
    if (of.windows.size() > formats::kMostWindows)
      throw std::runtime_error("the server has captures of more than 20,000 hours");
    return window;
  }

  void captures() {
    for (const AnswerRow& row :
         rows("SELECT capture_id, host, ifNull(began_ns, 0), duration_ns, lost, state = 0 AND damaged_blocks = 0 AND "
              "lost = 0 FROM capture FINAL ORDER BY capture_id")) {
      AnswerCells c(row);
      formats::SummarisedCapture one;
      one.id = name_in(c);
      one.host = name_in(c);
      one.began = c.integer();
      const std::int64_t duration = c.integer();
      one.lost = c.natural();
      one.whole = c.natural() != 0;
      if (one.began < 0 || one.began > formats::kLatest || duration < 0 || duration > formats::kLatest)
        foreign_answer();
      one.ended = one.began + duration;
      for (std::int64_t at = one.began / kHourWindow * kHourWindow; at < one.ended; at += kHourWindow) {
        std::uint64_t& covered = window_at(at, out_).covered;
        covered = formats::saturated(
            covered, static_cast<std::uint64_t>(std::min(one.ended, at + kHourWindow) - std::max(one.began, at)));
      }
      out_.captures.insert(std::move(one));
    }
  }

  static formats::SummaryRoute route_in(AnswerCells& c) {
    formats::SummaryRoute out;
    out.service = name_in(c), out.role = name_in(c), out.method = name_in(c), out.route = name_in(c);
    return out;
  }

  // Where there are more rows, the servers add them up; fewer are added here, which is quicker.
  static constexpr std::uint64_t kFewRows = 100'000;

  void hours() {
    const std::string table = hours_of_routes_ ? "route_hour" : "service_hour";
    const std::string group = hours_of_routes_ ? "hour_ns, service, role, method, route" : "hour_ns, service, role";
    const std::string key = hours_of_routes_ ? group : group + ", '', ''";
    const auto counted = rows("SELECT count() FROM " + table + " FINAL" + kWhole);
    if (counted.size() != 1) foreign_answer();
    const bool few = AnswerCells(counted.front()).natural() <= kFewRows;
    for (const AnswerRow& row : rows("SELECT " + key +
                                     (few ? ", requests, judged, failed, client_errors, zero, sum_ns, bucket, count"
                                          : std::string(", ") + kSums) +
                                     " FROM " + table + " FINAL" + kWhole + (few ? "" : " GROUP BY " + group)))
      take_cell(out_, row);
    for (const AnswerRow& row : rows("SELECT " + key + ", label, sum(label_ns) FROM " + table +
                                     " FINAL ARRAY JOIN label, label_ns" + kWhole + " GROUP BY " + group + ", label")) {
      AnswerCells c(row);
      formats::SummaryWindow& window = window_in(c);
      formats::RouteCell& cell = window.routes[route_in(c)];
      DurationSketch& times = cell.labels[name_in(c)];
      times.set_rest(0, c.natural());
      if (cell.labels.size() > formats::kMostLabels) foreign_answer();
    }
  }

  void take_cell(Summary& to, const AnswerRow& row) {
    AnswerCells c(row);
    formats::SummaryWindow& window = window_in(c, to);
    formats::RouteCell one;
    formats::RouteCell& cell = window.routes[route_in(c)];
    one.requests = c.natural(), one.judged = c.natural(), one.failed = c.natural(), one.client_errors = c.natural();
    if (one.judged > one.requests || one.failed > one.judged) foreign_answer();
    one.durations[0] = taken_sketch(c);
    formats::add_cell(cell, one);
  }

  void hourly_calls() {
    for (const AnswerRow& row : rows(std::string("SELECT hour_ns, caller, callee, sum(requests), sum(failed), "
                                                 "sum(sum_ns) FROM call_hour FINAL") +
                                     kWhole + " GROUP BY hour_ns, caller, callee")) {
      AnswerCells c(row);
      formats::SummaryWindow& window = window_in(c);
      formats::CallCell& cell = window.edges[edge_in(c)];
      cell.requests = c.natural(), cell.failed = c.natural();
      if (cell.failed > cell.requests) foreign_answer();
      cell.durations.set_rest(0, c.natural());
    }
  }

  // Many hours are asked for only as these two times.
  void detail() {
    const std::int64_t from = out_.windows.begin()->first, to = out_.windows.rbegin()->first + kHourWindow;
    const std::int64_t begins = summaries::latest_begins(from, to, latest_) / kHourWindow * kHourWindow;
    const std::string latest = std::to_string(begins);
    const std::string before =
        std::to_string(std::max(begins - latest_, formats::kEarliest) / kHourWindow * kHourWindow);
    const std::string part = "if(hour_ns >= " + latest + ", toInt64(" + latest + "), toInt64(" + before + "))";
    const std::string of = std::string(" FINAL") + kWhole + " AND hour_ns >= " + before + " GROUP BY part, ";
    for (const AnswerRow& row : rows("SELECT " + part + " AS part, service, role, method, route, " + kSums +
                                     " FROM route_hour" + of + "service, role, method, route"))
      take_cell(sums_.detail, row);
    for (const AnswerRow& row :
         rows("SELECT " + part +
              " AS part, caller, callee, sum(requests), sum(failed), sum(zero), sum(sum_ns), "
              "tupleElement(sumMap(bucket, count), 1), tupleElement(sumMap(bucket, count), 2) FROM call_hour" +
              of + "caller, callee")) {
      AnswerCells c(row);
      formats::SummaryWindow& window = window_in(c, sums_.detail);
      formats::CallCell& cell = window.edges[edge_in(c)];
      cell.requests = c.natural(), cell.failed = c.natural();
      if (cell.failed > cell.requests) foreign_answer();
      cell.durations = taken_sketch(c);
    }
  }

  static formats::SummaryEdge edge_in(AnswerCells& c) {
    formats::SummaryEdge out;
    out.from = name_in(c), out.to = name_in(c);
    return out;
  }

  void deployments() {
    for (const AnswerRow& row :
         rows(std::string("SELECT at_ns, service, host, name, value FROM deployment FINAL") + kWhole +
              " ORDER BY at_ns DESC LIMIT " + std::to_string(formats::kMostDeployments))) {
      AnswerCells c(row);
      formats::SummaryDeployment one;
      one.at = c.integer();
      one.service = name_in(c), one.host = name_in(c), one.name = name_in(c), one.value = name_in(c);
      out_.deployments.insert(std::move(one));
    }
  }

  exports::HttpSender server_;
  const std::int64_t latest_;
  const bool hours_of_routes_;
  FleetSums sums_;
  Summary& out_ = sums_.hours;
};

}  // namespace

std::span<const std::string_view> hour_columns(std::string_view table) {
  if (table == kServiceHour) return kServiceHourNames;
  if (table == kRouteHour) return kRouteHourNames;
  if (table == kCallHour) return kCallHourNames;
  if (table == kDeployment) return kDeploymentNames;
  return {};
}

std::string hour_rows(std::string_view table, const pipeline::Analysis& analysis, const std::string& begin) {
  return HourRows(summary_of(analysis, kHourWindow), begin).of(table);
}

FleetSums fleet_sums_in(const exports::Endpoint& endpoint, std::int64_t latest, bool hours_of_routes) {
  return HourReader(endpoint, latest, hours_of_routes).read();
}

}  // namespace tailcap::views
