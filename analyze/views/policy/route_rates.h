// The rate at which a sampler keeps the requests of each route, as its conditions and its formula change it.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/policy/outcome.h"
#include "analyze/views/policy/condition.h"

namespace tailcap::policy {

// The routes of requests, numbered by their names. Both ends of a connection have the same ones.
class RouteNumbers {
 public:
  // rows: the requests that count.
  RouteNumbers(const model::RequestTable& table, const std::vector<std::uint32_t>& rows);
  std::size_t size() const { return names_.size(); }
  std::size_t of(const model::Request& row) const { return numbers_.at({row.method, row.route}); }
  bool known(std::size_t route) const { return examples_[route].route != 0; }
  const std::string& name(std::size_t route) const { return names_[route]; }  // "GET /pay", "(unknown route)"
  const model::Request& example(std::size_t route) const { return examples_[route]; }

 private:
  std::map<std::pair<model::TextId, model::TextId>, std::size_t> numbers_;
  std::vector<std::string> names_;  // ascending
  std::vector<model::Request> examples_;
};

class RouteRates {
 public:
  // begin: from when on the first rates apply.
  RouteRates(const model::policy::PolicySampling& sampling, const RouteNumbers& routes, const model::TextPool& texts,
             Time begin);

  // At a look, or where a window of the formula ends: `figures` are those of each route in it, otherwise empty. The
  // changes are appended to `changes`, by name of the route; null: they are not asked for.
  void decide(Time now, const std::vector<bool>& firing, const std::vector<model::policy::WindowFigures>& figures,
              std::vector<model::policy::PolicyAction>* changes);
  double rate(std::size_t route) const { return routes_[route].rate; }
  // The rates now, of routes with a name.
  model::policy::RateRegistry registry(const std::vector<bool>& firing) const;

 private:
  static constexpr std::size_t kNone = SIZE_MAX;
  struct Route {
    double rate = 1;
    std::size_t entry = kNone;        // of adapt, that decides
    Time decided = formats::kNoTime;  // when the rate was computed or changed
    std::optional<double> computed = {};
    std::optional<model::policy::WindowFigures> figures = {};  // of the last window
    std::optional<double> listed = {};
    std::vector<bool> matches = {};  // entries of adapt
  };
  std::size_t entry_for(const Route& route, const std::vector<bool>& firing) const;

  const model::policy::PolicySampling sampling_;
  const RouteNumbers& numbers_;
  std::vector<Route> routes_;
};

}  // namespace tailcap::policy
