#include "analyze/views/fleet/tables.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <map>
#include <stdexcept>

#include "analyze/export/tab_separated.h"
#include "analyze/model/study/cut_note.h"
#include "analyze/model/study/unread.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/report/tail/sentence.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/words.h"
#include "analyze/spans/identities.h"
#include "analyze/tail/rows/standing.h"

namespace tailcap::views {
namespace {

using exports::TabSeparated;
using model::Request;
using model::RouteStudy;
using Names = std::string_view;

constexpr std::size_t kPiece = 8u << 20;  // bytes of rows that are sent at a time

constexpr auto kRequest = std::to_array<Names>(
    {"capture_id",  "day",     "request_id",    "trace_id",       "span_id",           "start_ns",        "service",
     "role",        "method",  "route",         "path",           "authority",         "protocol",        "status",
     "grpc_status", "outcome", "standing",      "taints",         "duration_ns",       "first_byte_ns",   "tls",
     "local",       "remote",  "request_bytes", "response_bytes", "parent_request_id", "peer_request_id", "label.name",
     "label.ns"});
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

constexpr auto kTables = std::to_array<FleetTable>(
    {{"request", kRequest}, {"route", kRoute}, {"label", kLabel}, {"verdict", kVerdict}, {"capture", kCapture}});

// The day on which the capture began: all its rows are in one partition, and in the same one the next time.
std::string day_of(const formats::Preamble& preamble) {
  const std::time_t seconds = preamble.started_realtime / 1'000'000'000;
  std::tm day{};
  gmtime_r(&seconds, &day);
  char text[40];
  std::strftime(text, sizeof text, "%Y-%m-%d", &day);
  return text;
}

const char* name_of(tail::Standing standing) {
  switch (standing) {
    case tail::Standing::clean:
      return "clean";
    case tail::Standing::doubtful:
      return "doubtful";
    case tail::Standing::in_flight:
      return "in_flight";
    case tail::Standing::failed:
      return "failed";
  }
  return "";
}

class Writer {
 public:
  Writer(const FleetTable& table, const std::string& file, const pipeline::Analysis& analysis, bool once,
         const Write& write)
      : table_(table),
        file_(file),
        analysis_(analysis),
        preamble_(analysis.study.quality.preamble),
        day_(day_of(preamble_)),
        once_(once),
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
    if (rows_ > 0 || once_) write_(text_);
  }

 private:
  void begin() {
    row_.text(preamble_.capture_id);
    row_.text(day_);
  }
  void end() {
    row_.end_row();
    ++rows_;
    if (text_.size() < kPiece) return;
    write_(text_);
    text_.clear();
    rows_ = 0;
    if (!once_) row_.names(table_.columns);
  }
  void text(model::TextId id) { row_.text(analysis_.table.texts[id]); }
  void id(model::ExchangeId id) { row_.text(id.connection == 0 ? std::string() : report::id_text(id)); }

  // As by_route() of tail/ makes them: what was folded is one route.
  struct Key {
    std::string_view service, method, route;
    model::Role role;
    auto operator<=>(const Key&) const = default;
  };
  Key key_of(const Request& row) const {
    const model::TextPool& texts = analysis_.table.texts;
    if (texts[row.route] == "other" && folded()) return {service_of_other(row.role), "", "other", row.role};
    return {texts[row.comm], texts[row.method], texts[row.route], row.role};
  }
  bool folded() const { return analysis_.study.quality.findings[model::Finding::route_overflow] > 0; }
  std::string_view service_of_other(model::Role role) const {
    for (const RouteStudy& r : analysis_.study.routes)
      if (r.route == "other" && r.role == role) return r.comm;
    return {};
  }
  void key(const Key& key) {
    row_.text(key.service);
    row_.text(model::name_of(key.role));
    row_.text(key.method);
    row_.text(key.route);
  }

  void requests() {
    const model::RequestTable& table = analysis_.table;
    const model::WallClock& clock = analysis_.study.quality.clock;
    std::vector<spans::ForeignSpan> none;
    const spans::Identities ids = spans::identities_of(table, none);
    std::vector<std::string_view> names;
    std::vector<std::int64_t> times;
    for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
      const Request row = table.rows[i];
      const bool started = formats::known(row.start) && clock.known();
      const bool ends = row.id.connection < analysis_.endpoints.size();
      const pipeline::Endpoints at = ends ? analysis_.endpoints[row.id.connection] : pipeline::Endpoints{};
      const model::Cause* const cause = table.causes.find(row.id);
      begin();
      id(row.id);
      row_.text(model::trace_hex(ids.rows[i].context));
      row_.text(model::hex_of(ids.rows[i].context.span));
      row_.integer_if(started, started ? clock.realtime(row.start) : 0);
      key(key_of(row));
      text(row.path);
      text(row.authority);
      row_.text(row.protocol == model::Protocol::unknown ? "" : model::name_of(row.protocol));
      row_.integer_if(row.status != 0, row.status);
      row_.integer_if(row.grpc_status >= 0, row.grpc_status);
      row_.text(model::name_of(row.outcome));
      row_.text(name_of(tail::standing_of(row)));
      row_.texts(model::names_of(row.taints));
      row_.integer_if(row.has_duration, row.duration.count());
      row_.integer_if(row.first_byte.count() >= 0, row.first_byte.count());
      row_.natural(row.tls);
      text(at.local);
      text(at.remote);
      row_.integer_if(row.request_bytes >= 0, row.request_bytes);
      row_.integer_if(row.response_bytes >= 0, row.response_bytes);
      id(cause ? cause->parent : model::ExchangeId{});
      id(row.peer);
      names.clear();
      times.clear();
      for (const auto& [label, ns] : labels_of(row.id)) {
        names.push_back(model::name_of(label));
        times.push_back(ns);
      }
      row_.texts(names);
      row_.integers(times);
      end();
    }
  }

  std::map<model::Label, std::int64_t> labels_of(model::ExchangeId id) const {
    std::map<model::Label, std::int64_t> out;
    for (const model::Part& part : analysis_.table.partitions.parts(id)) out[part.label] += part.time;
    return out;
  }

  void routes() {
    std::map<Key, std::array<std::uint64_t, 4>> standings;
    for (const Request row : analysis_.table.rows)
      ++standings[key_of(row)][static_cast<std::size_t>(tail::standing_of(row))];
    for (const RouteStudy& r : analysis_.study.routes) {
      const Key of{r.comm, r.method, r.route, r.role};
      const auto& standing = standings[of];
      const auto count = [&](tail::Standing s) { return standing[static_cast<std::size_t>(s)]; };
      begin();
      key(of);
      row_.natural(r.count);
      row_.natural(r.incomplete);
      row_.natural(r.tainted);
      row_.natural(count(tail::Standing::clean));
      row_.natural(count(tail::Standing::doubtful));
      row_.natural(count(tail::Standing::in_flight));
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
    std::map<Key, std::map<model::Label, Sum>> sums;
    for (const Request row : analysis_.table.rows) {
      auto& of = sums[key_of(row)];
      for (const auto& [label, ns] : labels_of(row.id)) {
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
    for (const Request row : analysis_.table.rows) clean += tail::standing_of(row) == tail::Standing::clean;
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
  const formats::Preamble& preamble_;
  const std::string day_;
  const bool once_;
  const Write& write_;
  std::string text_;
  TabSeparated row_;
  std::uint64_t rows_ = 0;  // in text_
};

}  // namespace

std::span<const FleetTable> fleet_tables() { return kTables; }

pipeline::Analysis fleet_analysis(const std::string& file, const pipeline::Options& chosen, Exported& out) {
  pipeline::Options options = of_all(chosen);
  options.study = options.partition = true;
  out.what = "rows";
  pipeline::Analysis analysis = analysed(file, options, out);
  const formats::Preamble& preamble = analysis.study.quality.preamble;
  if (preamble.capture_id.empty())
    throw std::runtime_error(report::printable(file) +
                             " has no id, so that its rows could not be distinguished from those of others.");
  if (analysis.study.quality.sampling.some())
    throw std::runtime_error(
        report::printable(file) +
        " records a part of all connections (--sample-connections): sums with others would be wrong.");
  if (model::CutNote::from_notes(preamble.notes))
    throw std::runtime_error(report::printable(file) +
                             " is a part of a capture with the same id. Export that capture.");
  out.requests = analysis.table.rows.size();
  return analysis;
}

void write_fleet_table(const FleetTable& table, const std::string& file, const pipeline::Analysis& analysis, bool once,
                       const Write& write) {
  Writer(table, file, analysis, once, write).fill();
}

Exported export_fleet_table(const std::string& file, const pipeline::Options& options, std::string_view name,
                            const Write& write) {
  Exported out;
  const pipeline::Analysis analysis = fleet_analysis(file, options, out);
  for (const FleetTable& table : kTables)
    if (table.name == name) write_fleet_table(table, file, analysis, true, write);
  return out;
}

}  // namespace tailcap::views
