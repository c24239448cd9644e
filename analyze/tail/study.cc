#include "analyze/tail/study.h"

#include <algorithm>
#include <exception>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "analyze/tail/calls.h"
#include "analyze/tail/changes/change_study.h"
#include "analyze/tail/changes/status_shift.h"
#include "analyze/tail/health.h"
#include "analyze/tail/load/load_study.h"
#include "analyze/tail/load/triggers.h"
#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/tail/verdict/capture.h"
#include "ground/threads/background.h"
#include "ground/threads/workers.h"

namespace tailcap::tail {
namespace {

using model::Outcome;
using model::Request;
using model::RequestTable;
using model::Role;
using model::RouteStudy;

constexpr std::size_t kSlowest = 50;

std::vector<std::uint32_t> slowest_of(const RequestTable& table) {
  // What the service did counts; what it asked of others is part of that.
  bool served = false;
  for (std::size_t i = 0; i < table.rows.size() && !served; ++i)
    served = table.rows.has_duration(i) && table.rows.role(i) == Role::server;
  const auto slower = [&](std::uint32_t a, std::uint32_t b) {
    const auto x = table.rows.duration(a), y = table.rows.duration(b);
    return x != y ? x > y : a < b;
  };
  std::vector<std::uint32_t> rows;  // a heap: the least slow one first
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (!table.rows.has_duration(i) || (served && table.rows.role(i) != Role::server)) continue;
    if (rows.size() == kSlowest) {
      if (!slower(i, rows.front())) continue;
      std::pop_heap(rows.begin(), rows.end(), slower);
      rows.pop_back();
    }
    rows.push_back(i);
    std::push_heap(rows.begin(), rows.end(), slower);
  }
  std::sort_heap(rows.begin(), rows.end(), slower);
  return rows;
}

// Method, route, role.
using RouteName = std::tuple<model::TextId, model::TextId, Role>;

struct Studied {
  double total = 0;
  RouteStudy route;
  RouteName name;
  model::TextId comm = 0;
  const std::vector<std::uint32_t>* rows = nullptr;
};

// Routes with many requests first, so that no thread begins the largest when the others have ended; last(), which needs
// none of them, at the end.
template <typename Act, typename Last>
void study_all(std::vector<Studied>& routes, unsigned threads, Act act, Last last) {
  std::vector<std::size_t> order(routes.size());
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return routes[a].rows->size() > routes[b].rows->size(); });
  std::vector<std::exception_ptr> failures(routes.size() + 1);
  ground::Workers workers(routes.empty() ? 1 : threads);
  workers.run(failures.size(), [&](std::size_t, std::size_t piece) {
    try {
      if (piece == order.size())
        last();
      else
        act(routes[order[piece]]);
    } catch (...) {
      failures[piece] = std::current_exception();
    }
  });
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
}

}  // namespace

void count_requests(const RequestTable& table, model::Quality& quality) {
  quality.requests = table.rows.size();
  std::uint64_t served = 0, made = 0;  // with a known other end
  std::set<model::ExchangeId> calls;
  std::map<model::ConnectionId, double> sizes;  // exchanges
  const model::Rows& rows = table.rows;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Outcome outcome = rows.outcome(i);
    const bool server = rows.role(i) == Role::server;
    quality.complete += rows.complete(i);
    quality.unknown += outcome == Outcome::unknown;
    quality.incomplete += !rows.complete(i) && outcome != Outcome::unknown;
    quality.tainted += rows.taints(i) != 0;
    const bool both = rows.peer(i).connection != 0;
    (server ? served : made) += both;
    if (!both || server) {
      if (quality.sampling.scales()) ++sizes[rows.id(i).connection];
      count_answer(rows, i, quality.errors);
      quality.errors.other += standing_of(rows, i) == DurationStanding::failed;
    }
    if (server || !rows.has_rare(i)) continue;
    const Request row = rows[i];
    if (row.attempt < 2) continue;
    ++quality.retries;
    quality.retries_inferred += row.attempt_how != model::AttemptEvidence::grpc_header;
    calls.insert(row.attempt_of.connection != 0 ? row.attempt_of : row.id);
  }
  quality.retried_calls = calls.size();
  quality.both_ends = std::min(served, made);
  quality.exchanges = quality.requests - quality.both_ends;
  if (quality.sampling.scales() && !sizes.empty()) {
    std::vector<double> all;
    for (const auto& [connection, requests] : sizes) all.push_back(requests);
    quality.all_requests = model::whole_of(all, quality.sampling.of);
  }
}

RouteKeys::RouteKeys(const RequestTable& table) : table_(table), other_(table.texts.find(kOtherRoute)) {}

RouteKey RouteKeys::of(std::uint32_t row) const {
  const model::RowNames names = table_.rows.names(row);
  const model::TextId route = table_.rows.route(row);
  // What was folded is one route for all methods and processes: their number is not bounded. A proxy and the service
  // behind it serve the same paths for different reasons.
  if (folded(route)) return {0, route, table_.rows.role(row), 0};
  return {names.method, route, table_.rows.role(row), names.comm};
}

std::map<RouteKey, std::vector<std::uint32_t>> by_route(const RequestTable& table,
                                                        const std::function<bool(std::uint32_t)>& wanted) {
  const RouteKeys keys(table);
  std::map<RouteKey, std::vector<std::uint32_t>> out;
  std::pair<const RouteKey, std::vector<std::uint32_t>>* last[2] = {};  // by role; most rows have the key of the last
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (wanted && !wanted(i)) continue;
    const RouteKey key = keys.of(i);
    auto*& entry = last[static_cast<std::size_t>(table.rows.role(i))];
    if (!entry || entry->first != key) entry = &*out.try_emplace(key).first;
    entry->second.push_back(i);
  }
  for (auto& [key, rows] : out) rows.shrink_to_fit();
  return out;
}

void study_requests(const RequestTable& table, model::Study& study, unsigned threads) {
  std::map<RouteKey, std::vector<std::uint32_t>> routes;
  std::optional<slow::Links> links;
  const auto look_at_all = [&] {
    if (table.partitions.size() > 0 || table.unfinished.size() > 0 || table.causes.size() > 0) links.emplace(table);
    study.arrivals = load::arrivals(table);
  };
  if (ground::workers_of(threads) > 1) {
    ground::Background beside;
    beside.run(look_at_all);
    routes = by_route(table);
    beside.wait();
  } else {
    routes = by_route(table);
    look_at_all();
  }
  std::vector<Studied> studied;
  for (const auto& [key, rows] : routes) {
    Studied& one = studied.emplace_back();
    one.rows = &rows;
    for (const std::uint32_t i : rows)
      if (table.rows.has_duration(i)) one.total += static_cast<double>(table.rows.duration(i).count());
    one.name = {std::get<0>(key), std::get<1>(key), std::get<2>(key)};
    one.comm = std::get<3>(key);
  }
  model::Health health;
  std::vector<std::uint32_t> slowest;
  study_all(
      studied, threads,
      [&](Studied& one) {
        one.route = study_route(table, *one.rows, study, links ? &*links : nullptr);
        one.route.method = table.texts[std::get<0>(one.name)];
      },
      [&] {
        health = health_of(table, study);
        slowest = slowest_of(table);
      });
  study.health = std::move(health);
  study.slowest = std::move(slowest);
  std::sort(studied.begin(), studied.end(), [](const auto& a, const auto& b) {
    if (a.total != b.total) return a.total > b.total;
    return std::tie(a.route.role, a.route.route, a.route.method, a.route.comm) <
           std::tie(b.route.role, b.route.route, b.route.method, b.route.comm);
  });
  study.routes.clear();
  // A route has the same name whether or not those like it were selected.
  std::map<RouteName, std::set<model::TextId>> names;
  for (std::size_t i = 0; i < table.before.size(); ++i) {
    const model::RowNames row = table.before.names(i);
    names[{row.method, table.before.route(i), table.before.role(i)}].insert(row.comm);
  }
  std::vector<const std::vector<std::uint32_t>*> rows;
  for (const auto& s : studied) names[s.name].insert(s.comm);
  for (auto& s : studied) {
    s.route.name_shared = names[s.name].size() > 1;
    study.routes.push_back(std::move(s.route));
    rows.push_back(s.rows);
  }
  changes::study_changes(table, rows, study);
  changes::study_statuses(table, rows, study);
  load::find_triggers(table, rows, study);
  join_misses(table, study);
  verdict::conclude(table, links ? &*links : nullptr, study);
}

}  // namespace tailcap::tail
