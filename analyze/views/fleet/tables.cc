#include "analyze/views/fleet/tables.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <vector>

#include "analyze/export/tab_separated.h"
#include "analyze/model/columns/columns.h"
#include "analyze/model/columns/label_times.h"
#include "analyze/model/study/unread.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/tail/study.h"
#include "analyze/views/export/whole_capture.h"
#include "analyze/views/fleet/hours.h"
#include "analyze/views/fleet/request_rows.h"
#include "ground/threads/workers.h"

namespace tailcap::views {
namespace {

using exports::TabSeparated;
using model::Request;
using model::RouteStudy;
using Names = std::string_view;
namespace columns = model::columns;

constexpr std::size_t kRowsPiece = 8u << 20;  // bytes of rows that are sent at a time
constexpr std::size_t kRowsAtOnce = 2048;     // that one CPU writes

constexpr auto kRoute =
    std::to_array<Names>({"capture_id",    "day",           "service",        "role",    "method",      "route",
                          "requests",      "incomplete",    "tainted",        "clean",   "doubtful",    "in_flight",
                          "client_errors", "server_errors", "other_failures", "seconds", "independent", "effective",
                          "support",       "value_ns",      "low_ns",         "high_ns", "reason"});
constexpr auto kLabel =
    std::to_array<Names>({"capture_id", "day", "service", "role", "method", "route", "label", "ns", "requests"});
constexpr auto kVerdict =
    std::to_array<Names>({"capture_id", "day",        "number",    "scope",   "kind",    "level",    "pattern",
                          "service",    "method",     "route",     "label",   "origin",  "requests", "of",
                          "slow_ns",    "typical_ns", "excess_ns", "part_of", "example", "sentence"});
constexpr auto kCapture = std::to_array<Names>(
    {"capture_id",    "day",           "file",           "host",    "kernel",         "state",       "began_ns",
     "duration_ns",   "events",        "lost",           "unseen",  "damaged_blocks", "contradicts", "unrecorded",
     "requests",      "complete",      "incomplete",     "unknown", "tainted",        "exchanges",   "both_ends",
     "client_errors", "server_errors", "other_failures", "clean"});

// Which capture and day a row is of, and the columns of a request (model/columns). What is nested is two columns.
std::span<const Names> request_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> out = {"capture_id", "day"};
    for (const columns::RequestColumn* const column : columns::on(columns::Surface::clickhouse)) {
      const std::string name(column->on(columns::Surface::clickhouse).name);
      if (column->type == columns::ColumnType::nested)
        out.insert(out.end(), {name + ".name", name + ".ns"});
      else
        out.push_back(name);
    }
    return out;
  }();
  static const std::vector<Names> views(names.begin(), names.end());
  return views;
}

// The day on which the capture began: all its rows are in one partition, and in the same one the next time.
std::string day_of(const formats::Preamble& preamble) {
  const std::time_t seconds = preamble.started_realtime / 1'000'000'000;
  std::tm day{};
  gmtime_r(&seconds, &day);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d", &day);
  return text;
}

class RowWriter {
 public:
  RowWriter(const FleetTable& table, const std::string& file, const pipeline::Analysis& analysis, bool once,
            unsigned threads, const Write& write)
      : table_(table),
        file_(file),
        analysis_(analysis),
        routes_(analysis),
        preamble_(analysis.study.quality.preamble),
        day_(day_of(preamble_)),
        once_(once),
        threads_(threads),
        write_(write),
        row_(text_) {
    row_.names(table.columns);
  }

  void fill() {
    const std::string_view name = table_.name;
    if (name == "request") requests();
    if (name == "route") routes();
    if (name == "label") labels();
    if (name == "verdict") verdicts();
    if (name == "capture") capture();
    if (!hour_columns(name).empty()) {
      const std::string rows =
          hour_rows(name, analysis_, exports::tab_escaped(preamble_.capture_id) + "\t" + day_ + "\t");
      text_ += rows;
      rows_ += !rows.empty();
    }
    if (rows_ > 0 || once_) write_(text_);
  }

 private:
  void begin(TabSeparated& row) const {
    row.text(preamble_.capture_id);
    row.text(day_);
  }
  void begin() { begin(row_); }
  void end() {
    row_.end_row();
    ++rows_;
    write_full();
  }
  void write_full() {
    if (text_.size() < kRowsPiece) return;
    write_(text_);
    text_.clear();
    rows_ = 0;
    if (!once_) row_.names(table_.columns);
  }
  void id(model::ExchangeId id) { row_.text(id.connection == 0 ? std::string() : report::id_text(id)); }

  void key(const CountedRoute& route) {
    row_.text(route.service);
    row_.text(model::name_of(route.role));
    row_.text(route.method);
    row_.text(route.route);
  }

  // On all CPUs, in the order of the table.
  void requests() {
    struct Piece {
      std::string text;
      TabSeparated rows{text};
    };
    const std::size_t count = analysis_.table.rows.size();
    const RequestRows requests(analysis_, routes_);
    ground::Workers workers(threads_);
    std::vector<Piece> pieces(2 * workers.size());
    for (std::size_t done = 0; done < count; done += pieces.size() * kRowsAtOnce) {
      workers.run(pieces.size(), [&](std::size_t, std::size_t number) {
        Piece& piece = pieces[number];
        const std::size_t first = std::min(count, done + number * kRowsAtOnce);
        for (std::size_t i = first; i < std::min(count, first + kRowsAtOnce); ++i) {
          begin(piece.rows);
          requests.put(static_cast<std::uint32_t>(i), piece.rows);
          piece.rows.end_row();
        }
      });
      for (Piece& piece : pieces) {
        text_ += piece.text;
        rows_ += !piece.text.empty();
        piece.text.clear();
        write_full();
      }
    }
  }

  void routes() {
    std::map<CountedRoute, std::array<std::uint64_t, 4>> standings;
    const model::Rows& rows = analysis_.table.rows;
    for (std::uint32_t i = 0; i < rows.size(); ++i)
      ++standings[routes_.of(i)][static_cast<std::size_t>(tail::standing_of(rows, i))];
    for (const RouteStudy& r : analysis_.study.routes) {
      const CountedRoute of = CountedRoutes::of(r);
      const auto& standing = standings[of];
      const auto count = [&](tail::DurationStanding s) { return standing[static_cast<std::size_t>(s)]; };
      begin();
      key(of);
      row_.natural(r.count);
      row_.natural(r.incomplete);
      row_.natural(r.tainted);
      row_.natural(count(tail::DurationStanding::clean));
      row_.natural(count(tail::DurationStanding::doubtful));
      row_.natural(count(tail::DurationStanding::in_flight));
      row_.natural(r.client_errors);
      row_.natural(r.server_errors);
      row_.natural(r.other_failures);
      row_.real(static_cast<double>((analysis_.study.end - analysis_.study.begin).count()) * 1e-9);
      row_.real(r.independent_periods);
      std::vector<double> effective;
      std::vector<std::int64_t> support, value, low, high;
      std::vector<std::string_view> reasons;
      for (const model::Quantile& q : r.latency) {
        effective.push_back(q.effective_n);
        support.push_back(static_cast<std::int64_t>(q.support));
        value.push_back(q.value.count());
        low.push_back(q.low.count());
        high.push_back(q.high.count());
        reasons.push_back(q.reason);
      }
      row_.reals(effective);
      row_.integers(support);
      row_.integers(value);
      row_.integers(low);
      row_.integers(high);
      row_.texts(reasons);
      end();
    }
  }

  void labels() {
    struct Sum {
      std::int64_t ns = 0;
      std::uint64_t requests = 0;
    };
    std::map<CountedRoute, std::map<model::Label, Sum>> sums;
    for (std::uint32_t i = 0; i < analysis_.table.rows.size(); ++i) {
      auto& of = sums[routes_.of(i)];
      for (const auto& [label, ns] :
           model::columns::label_times(analysis_.table.partitions.parts(analysis_.table.rows.id(i)))) {
        of[label].ns += ns;
        ++of[label].requests;
      }
    }
    for (const auto& [of, labels] : sums)
      for (const auto& [label, sum] : labels) {
        begin();
        key(of);
        row_.text(model::name_of(label));
        row_.integer(sum.ns);
        row_.natural(sum.requests);
        end();
      }
  }

  void verdicts() {
    const model::Study& study = analysis_.study;
    for (std::size_t i = 0; i < study.verdicts.size(); ++i) {
      const model::Verdict& v = study.verdicts[i];
      static const RouteStudy kNone;
      const RouteStudy& route = v.routes.size() == 1 ? study.routes[v.routes.front()] : kNone;
      begin();
      row_.natural(i);
      row_.text(model::name_of(v.scope));
      row_.text(model::name_of(v.kind));
      row_.natural(static_cast<std::uint64_t>(v.level));
      row_.text(model::name_of(v.pattern));
      row_.text(route.comm);
      row_.text(route.method);
      row_.text(route.route);
      row_.text(v.parts.empty() ? "" : model::name_of(v.parts.front().label));
      row_.text(v.parts.empty() ? "" : model::name_of(v.parts.front().origin));
      row_.natural(v.requests);
      row_.natural(v.of);
      row_.integer(v.slow);
      row_.integer(v.typical);
      row_.integer(v.excess);
      row_.integer(v.part_of);
      id(v.examples.empty() ? model::ExchangeId{} : v.examples.front());
      row_.text(report::tail::sentence(v, study, analysis_.table));
      end();
    }
  }

  void capture() {
    const model::Quality& q = analysis_.study.quality;
    bool contradicts = false;
    for (std::size_t i = 0; i < static_cast<std::size_t>(model::Finding::count_); ++i) {
      const auto finding = static_cast<model::Finding>(i);
      contradicts |= q.findings[finding] != 0 && model::text_of(finding).severity == model::Severity::defect;
    }
    const bool unrecorded = model::some_left_out(q);
    std::uint64_t clean = 0;
    for (const Request row : analysis_.table.rows) clean += tail::standing_of(row) == tail::DurationStanding::clean;
    begin();
    row_.text(std::filesystem::path(file_).filename().string());
    row_.text(preamble_.host);
    row_.text(preamble_.kernel);
    row_.natural(static_cast<std::uint64_t>(q.file.state));
    row_.integer_if(preamble_.started_realtime != 0, preamble_.started_realtime);
    row_.integer(q.duration.count());
    row_.natural(q.events);
    row_.natural(q.lost);
    row_.natural(q.unseen);
    row_.natural(q.file.damaged_blocks + (q.file.damaged_bytes != 0));
    row_.natural(contradicts);
    row_.natural(unrecorded);
    row_.natural(q.requests);
    row_.natural(q.complete);
    row_.natural(q.incomplete);
    row_.natural(q.unknown);
    row_.natural(q.tainted);
    row_.natural(q.exchanges);
    row_.natural(q.both_ends);
    row_.natural(q.errors.client);
    row_.natural(q.errors.server);
    row_.natural(q.errors.other);
    row_.natural(clean);
    end();
  }

  const FleetTable& table_;
  const std::string& file_;
  const pipeline::Analysis& analysis_;
  const CountedRoutes routes_;
  const formats::Preamble& preamble_;
  const std::string day_;
  const bool once_;
  const unsigned threads_;
  const Write& write_;
  std::string text_;
  TabSeparated row_;
  std::uint64_t rows_ = 0;  // in text_; 0: none
};

}  // namespace

std::span<const FleetTable> fleet_tables() {
  static const auto tables = std::to_array<FleetTable>({{"request", request_names()},
                                                        {"route", kRoute},
                                                        {"label", kLabel},
                                                        {"verdict", kVerdict},
                                                        {kServiceHour.data(), hour_columns(kServiceHour)},
                                                        {kRouteHour.data(), hour_columns(kRouteHour)},
                                                        {kCallHour.data(), hour_columns(kCallHour)},
                                                        {kDeployment.data(), hour_columns(kDeployment)},
                                                        {"capture", kCapture}});
  return tables;
}

pipeline::Analysis fleet_analysis(const std::string& file, const pipeline::Options& chosen, Exported& out) {
  pipeline::Options options = of_all(chosen);
  options.study = options.partition = true;
  out.what = "rows";
  pipeline::Analysis analysis = analysed(file, options, out);
  require_one_of_many(file, analysis.study.quality);
  out.requests = analysis.table.rows.size();
  return analysis;
}

void write_fleet_table(const FleetTable& table, const std::string& file, const pipeline::Analysis& analysis, bool once,
                       unsigned threads, const Write& write) {
  RowWriter(table, file, analysis, once, threads, write).fill();
}

Exported export_fleet_table(const std::string& file, const pipeline::Options& options, std::string_view name,
                            const Write& write) {
  Exported out;
  const pipeline::Analysis analysis = fleet_analysis(file, options, out);
  for (const FleetTable& table : fleet_tables())
    if (table.name == name) write_fleet_table(table, file, analysis, true, options.threads, write);
  return out;
}

}  // namespace tailcap::views
