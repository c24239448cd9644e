#include "analyze/views/fleet/report.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <stdexcept>

#include "analyze/export/tab_separated.h"
#include "analyze/tail/rows/quantiles.h"
#include "analyze/views/fleet/cells.h"
#include "formats/event.h"

namespace tailcap::views {
namespace {

using exports::sql_quoted;
using exports::tab_unescaped;
using model::RouteStudy;
using report::Fleet;

struct Key {
  std::string service, role, method, route;
  auto operator<=>(const Key&) const = default;
};

Key key_of(AnswerCells& cells) { return {cells.text(), cells.text(), cells.text(), cells.text()}; }

// What captures say of a route, together.
struct Route {
  RouteStudy study;
  tail::Shortfall shortfall;
  std::array<tail::Weight, model::kQuantiles.size()> weights{};
  double seconds = 0;
  std::int64_t time = 0;
  std::vector<report::FleetLabel> labels;
  std::set<std::string> captures;
  std::vector<std::string> alone;  // of the only capture: support, value, low, high, reason
};

class Asking {
 public:
  Asking(const exports::Endpoint& endpoint, Fleet& fleet) : server_(endpoint), fleet_(fleet) {}

  void ask(std::size_t most_routes) {
    captures();
    if (fleet_.captures.empty()) return;
    routes();
    labels();
    answers();
    put_together(most_routes);
  }

 private:
  std::vector<AnswerRow> rows(const std::string& query) {
    return exports::tab_rows(server_.post(query, "text/plain", "/?database=tailcap&wait_end_of_query=1"));
  }

  void captures() {
    model::Quality& all = fleet_.study.quality;
    all.file.state = formats::CaptureState::complete;  // until a capture says otherwise
    for (const AnswerRow& row :
         rows("SELECT capture_id, file, host, ifNull(began_ns, 0), duration_ns, events, lost, unseen, damaged_blocks, "
              "contradicts, unrecorded, state, requests, complete, incomplete, unknown, tainted, exchanges, both_ends, "
              "client_errors, server_errors, other_failures, clean FROM capture FINAL ORDER BY began_ns, capture_id")) {
      AnswerCells c(row);
      report::FleetCapture& one = fleet_.captures.emplace_back();
      one.id = c.text();
      one.file = c.text();
      one.host = c.text();
      one.began = c.integer();
      one.duration = formats::Duration{c.integer()};
      const std::uint64_t events = c.natural();
      one.lost = c.natural();
      all.duration += one.duration;
      all.events += events;
      all.lost += one.lost;
      all.unseen += unseen_[one.id] = c.natural();
      all.file.damaged_blocks += c.natural();
      if (c.natural() != 0) all.findings.add(model::Finding::partition_mismatch);
      if (c.natural() != 0) all.preamble.notes.emplace_back("tailcap.unrecorded.", "");
      if (const auto state = static_cast<formats::CaptureState>(c.natural()); state != formats::CaptureState::complete)
        all.file.state = state;
      all.requests += one.requests = c.natural();
      all.complete += c.natural();
      all.incomplete += c.natural();
      all.unknown += c.natural();
      all.tainted += c.natural();
      all.exchanges += c.natural();
      all.both_ends += c.natural();
      all.errors.client += c.natural();
      all.errors.server += c.natural();
      all.errors.other += c.natural();
      clean_[one.id] = c.natural();
      files_[one.id] = one.file;
    }
    std::map<std::string, std::uint64_t> there;
    for (const AnswerRow& row : rows("SELECT capture_id, sum(n) FROM route_state FINAL GROUP BY capture_id")) {
      AnswerCells c(row);
      const std::string id = c.text();
      there[id] = c.natural();
    }
    for (const auto& [id, n] : clean_)
      if (there[id] != n) fleet_.incomplete.push_back(files_[id]);
  }

  void routes() {
    for (const AnswerRow& row :
         rows("SELECT capture_id, service, role, method, route, requests, incomplete, tainted, clean, doubtful, "
              "in_flight, client_errors, server_errors, other_failures, seconds, independent, effective, support, "
              "value_ns, low_ns, high_ns, reason[1], reason[2], reason[3], reason[4], reason[5] FROM route FINAL")) {
      AnswerCells c(row);
      const std::string capture = c.text();
      if (!files_.contains(capture)) continue;  // it is being loaded
      Route& r = routes_[key_of(c)];
      r.captures.insert(capture);
      r.study.count += c.natural();
      r.study.incomplete += c.natural();
      r.study.tainted += c.natural();
      const std::uint64_t clean = c.natural(), doubtful = c.natural();
      r.study.latency_tainted += doubtful;
      r.shortfall.tainted += doubtful + unseen_[capture];
      r.shortfall.in_flight += c.natural();
      r.study.client_errors += c.natural();
      r.study.server_errors += c.natural();
      r.study.other_failures += c.natural();
      r.seconds += c.real();
      const double independent = c.real();
      const std::vector<double> effective = c.reals();
      for (std::size_t i = 0; i < r.weights.size(); ++i) {
        r.weights[i].n += clean;
        r.weights[i].independent += independent;
        r.weights[i].effective += i < effective.size() ? effective[i] : 0;
      }
      r.alone.assign(row.begin() + 17, row.end());
    }
  }

  void labels() {
    for (const AnswerRow& row :
         rows("SELECT service, role, method, route, label, sum(ns), sum(requests) FROM label FINAL "
              "WHERE capture_id IN (" +
              ids() + ") GROUP BY service, role, method, route, label")) {
      AnswerCells c(row);
      const auto route = routes_.find(key_of(c));
      const auto label = model::label_of(c.text());
      if (route == routes_.end() || !label) continue;
      const std::int64_t time = c.integer();
      route->second.time += time;
      route->second.labels.push_back({*label, time, c.natural()});
    }
  }

  // Captures are few, compared with requests.
  std::string ids() const {
    std::string out;
    for (const auto& [id, file] : files_) out += (out.empty() ? "" : ",") + sql_quoted(id);
    return out;
  }

  void answers() {
    std::map<std::vector<std::string>, report::FleetAnswer> same;
    std::map<std::vector<std::string>, std::int64_t> largest;
    for (const AnswerRow& row :
         rows("SELECT capture_id, scope, kind, service, method, route, label, level, part_of, requests, of, excess_ns, "
              "example, sentence FROM verdict FINAL WHERE level > 0 ORDER BY capture_id, number")) {
      AnswerCells c(row);
      const std::string capture = c.text();
      if (!files_.contains(capture)) continue;
      const std::string scope = c.text();
      const std::vector<std::string> key = {scope, c.text(), c.text(), c.text(), c.text(), c.text()};
      const auto level = static_cast<model::VerdictLevel>(std::min<std::uint64_t>(c.natural(), 3));
      if (c.integer() >= 0 && level <= model::VerdictLevel::note)
        continue;  // a larger answer has it, as in other reports
      report::FleetAnswer& answer = same[key];
      answer.level = std::max(answer.level, level);
      answer.machine = scope == "machine";
      ++answer.captures;
      answer.requests += c.natural();
      answer.of += c.natural();
      const std::int64_t excess = c.integer();
      answer.excess += excess;
      const std::string example = c.text();
      if (answer.captures > 1 && excess <= largest[key]) continue;
      largest[key] = excess;
      answer.example = example;
      answer.sentence = c.text();
      answer.file = files_[capture];
    }
    for (auto& [key, answer] : same) fleet_.answers.push_back(std::move(answer));
    std::stable_sort(fleet_.answers.begin(), fleet_.answers.end(), [](const auto& a, const auto& b) {
      return a.level != b.level ? a.level > b.level : a.excess > b.excess;
    });
  }

  // Values of these ranks, from 1, of all durations of a route.
  std::map<std::uint64_t, std::int64_t> ranked(const Key& key, std::uint64_t n, const std::set<std::uint64_t>& ranks) {
    std::map<std::uint64_t, std::int64_t> out;
    if (ranks.empty()) return out;
    std::string levels;
    for (const std::uint64_t rank : ranks) {  // quantileExact takes the value at level * n, from 0
      char text[40];
      const double level = (static_cast<double>(rank) - 0.5) / static_cast<double>(n);
      levels += (levels.empty() ? "" : ",") +
                std::string(text, std::to_chars(text, text + sizeof text, level, std::chars_format::fixed, 17).ptr);
    }
    const auto answer = rows("SELECT sum(n), quantilesExactMerge(" + levels +
                             ")(durations) FROM route_state FINAL WHERE service = " + sql_quoted(key.service) +
                             " AND role = " + sql_quoted(key.role) + " AND method = " + sql_quoted(key.method) +
                             " AND route = " + sql_quoted(key.route) + " AND capture_id IN (" + ids() + ")");
    if (answer.size() != 1) foreign_answer();
    AnswerCells c(answer.front());
    if (c.natural() != n) return out;  // rows are missing
    const std::vector<double> values = c.reals();
    auto rank = ranks.begin();
    for (const double value : values)
      if (rank != ranks.end()) out[*rank++] = static_cast<std::int64_t>(value);
    return out;
  }

  void quantiles(const Key& key, Route& r) {
    RouteStudy& s = r.study;
    r.shortfall.seconds = r.seconds;
    if (r.captures.size() == 1) return quantiles_alone(r);
    // The database does not hold how long those lasted that broke off.
    r.shortfall.tainted += r.study.other_failures;
    // Once to learn which ranks are needed, once with their values.
    std::set<std::uint64_t> ranks;
    for (std::size_t i = 0; i < r.weights.size(); ++i)
      static_cast<void>(tail::quantile_of(model::kQuantiles[i], r.weights[i], r.shortfall, [&](std::uint64_t rank) {
        ranks.insert(rank);
        return std::int64_t{0};
      }));
    const auto values = ranked(key, r.weights[0].n, ranks);
    for (std::size_t i = 0; i < r.weights.size(); ++i) {
      if (values.size() == ranks.size()) {
        s.latency[i] = tail::quantile_of(model::kQuantiles[i], r.weights[i], r.shortfall,
                                         [&](std::uint64_t rank) { return values.at(rank); });
      } else {
        s.latency[i].q = model::kQuantiles[i];
        s.latency[i].reason = "rows of its captures are missing";
      }
    }
  }

  // For one capture they are what its own report says.
  void quantiles_alone(Route& r) {
    const auto support = numbers_of<std::int64_t>(r.alone[0]), value = numbers_of<std::int64_t>(r.alone[1]),
               low = numbers_of<std::int64_t>(r.alone[2]), high = numbers_of<std::int64_t>(r.alone[3]);
    for (std::size_t i = 0; i < r.weights.size(); ++i) {
      if (i >= std::min({support.size(), value.size(), low.size(), high.size()}) || support[i] < 0 ||
          support[i] > static_cast<std::int64_t>(model::Support::at_least))
        foreign_answer();
      r.study.latency[i] = {model::kQuantiles[i],
                            static_cast<model::Support>(support[i]),
                            formats::Duration{value[i]},
                            formats::Duration{low[i]},
                            formats::Duration{high[i]},
                            r.weights[i].effective,
                            tab_unescaped(r.alone.at(4 + i))};
    }
  }

  void put_together(std::size_t most_routes) {
    std::vector<std::pair<const Key*, Route*>> order;
    std::map<std::array<std::string, 3>, std::size_t> names;
    for (auto& [key, route] : routes_) {
      order.emplace_back(&key, &route);
      ++names[{key.role, key.method, key.route}];
    }
    std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return a.second->time != b.second->time ? a.second->time > b.second->time
                                              : a.second->study.count > b.second->study.count;
    });
    for (const auto& [key, route] : order) {
      RouteStudy& s = route->study;
      s.comm = key->service;
      s.role = key->role == model::name_of(model::Role::client) ? model::Role::client : model::Role::server;
      s.method = key->method;
      s.route = key->route;
      s.name_shared = names[{key->role, key->method, key->route}] > 1;
      if (route->seconds > 0) s.per_second = static_cast<double>(s.count) / route->seconds;
      for (std::size_t i = 0; i < s.latency.size(); ++i) s.latency[i].q = model::kQuantiles[i];
      if (fleet_.study.routes.size() < most_routes) quantiles(*key, *route);
      std::sort(route->labels.begin(), route->labels.end(),
                [](const auto& a, const auto& b) { return a.time != b.time ? a.time > b.time : a.label < b.label; });
      fleet_.labels.push_back(std::move(route->labels));
      fleet_.study.routes.push_back(std::move(s));
    }
  }

  exports::HttpSender server_;
  Fleet& fleet_;
  std::map<std::string, std::uint64_t> unseen_, clean_;  // by capture
  std::map<std::string, std::string> files_;             // likewise
  std::map<Key, Route> routes_;
};

}  // namespace

report::Fleet fleet_of(const exports::Endpoint& endpoint, std::size_t most_routes) {
  report::Fleet out;
  out.name = endpoint.url;
  Asking(endpoint, out).ask(most_routes);
  return out;
}

}  // namespace tailcap::views
