#include "analyze/query/policy_file.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "analyze/query/filter.h"
#include "analyze/query/literal.h"
#include "analyze/query/yaml.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::query {
namespace {

using formats::printable;
using model::gate::Metric;
using model::policy::Adaptation;
using model::policy::asks_for_lines;
using model::policy::Breaker;
using model::policy::Duration;
using model::policy::Limit;
using model::policy::ListedRate;
using model::policy::Policy;
using model::policy::PolicyCondition;
using model::policy::PolicySampling;

constexpr std::size_t kMost = 100;  // of conditions, adaptations, breakers
constexpr std::size_t kMostLabels = 4, kMostProbes = 1'000'000;
constexpr Duration kLeastEvery = std::chrono::milliseconds{200}, kEvery = std::chrono::seconds{1};

std::string text(const Yaml& value, const std::string& key) { return scalar(value, key + " is a text"); }

std::string route(const Yaml& value) { return scalar(value, "a route is expected here, like POST /pay"); }

Duration duration(const Yaml& value, const std::string& key, Duration least) {
  const std::string& given = scalar(value, "a time is expected here, like 10s");
  const auto ns = parse_duration(given);
  if (!ns) fail(value, key + " is a time like 10s, not '" + printable(given) + "'");
  if (Duration{*ns} < least)
    fail(value, key + (least == kLeastEvery ? " is at least 200ms" : " is longer than nothing"));
  return Duration{*ns};
}

double percentage(const Yaml& value, const std::string& key) {
  const std::string& given = scalar(value, "a percentage is expected here, like 10%");
  const auto share = parse_percentage(given);
  if (!share) fail(value, key + " is a percentage like 10%, not '" + printable(given) + "'");
  return *share;
}

model::policy::RateFormula formula(const Yaml& value) {
  const std::string& name = scalar(value, "formula is adaptive or adaptive_clamped");
  for (const auto known : model::policy::kRateFormulas)
    if (name == name_of(known)) return known;
  fail(value, "formula is adaptive or adaptive_clamped, not '" + printable(name) + "'");
}

// "2026-03-01T12:34:56Z", also with a fraction of a second.
bool is_utc(std::string_view text) {
  static constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd";
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() <= form.size() || !text.ends_with('Z')) return false;
  for (std::size_t i = 0; i < form.size(); ++i)
    if (form[i] == 'd' ? !digit(text[i]) : text[i] != form[i]) return false;
  const std::string_view rest = text.substr(form.size(), text.size() - form.size() - 1);
  return rest.empty() || (rest.size() > 1 && rest[0] == '.' && std::ranges::all_of(rest.substr(1), digit));
}

std::string expression(const Yaml& value) {
  const std::string& given = scalar(value, "an expression is expected here, like duration > 250ms");
  try {
    (void)policy_filter(given);
  } catch (const FilterError& e) {
    fail(value, e.what());
  }
  return given;
}

const std::vector<std::string_view>& limit_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> out = {"share", "count", "rate", "log_errors"};
    for (const std::string_view name : model::gate::metric_names())
      if (const Metric metric = *model::gate::metric_of(name);
          !metric.counted() && !metric.of_own_time())  // these are not known as requests end
        out.push_back(name);
    return out;
  }();
  return names;
}

Limit limit_of(const std::string& key, const Yaml& value, bool least) {
  Limit out;
  out.least = least;
  out.text = scalar(value, "a limit is expected here");
  std::optional<double> limit;
  const char* expected = "a percentage like 1%";
  if (key == "share") {
    out.of = Limit::Of::share;
    limit = parse_percentage(out.text);
  } else if (key == "count") {
    out.of = Limit::Of::count;
    if (const auto number = parse_number(out.text)) limit = static_cast<double>(*number);
    expected = "a whole number of requests";
  } else if (key == "log_errors") {
    out.of = Limit::Of::log_errors;
    if (const auto number = parse_number(out.text)) limit = static_cast<double>(*number);
    expected = "a whole number of lines";
  } else if (key == "rate") {
    out.of = Limit::Of::rate;
    std::string_view number = out.text;
    if (number.ends_with("/s")) number.remove_suffix(2);
    limit = parse_decimal(number);
    expected = "a number of requests per second, like 500 or 0.5/s";
  } else {
    out.metric = *model::gate::metric_of(key);
    if (out.metric.share() || out.is_label()) limit = parse_percentage(out.text);
    out.of_time = out.is_label() && limit;
    if (!limit && out.metric.timed())
      if (const auto ns = parse_duration(out.text)) limit = static_cast<double>(*ns);
    if (out.is_label())
      expected = "a time per request like 5ms, or a percentage of the time";
    else if (out.metric.timed())
      expected = "a time like 200ms";
  }
  if (!limit) fail(value, "the limit of " + key + " is " + expected + ", not '" + printable(out.text) + "'");
  out.value = *limit;
  return out;
}

void limits(const Yaml& value, bool least, std::vector<Limit>& out) {
  each(value, "limits are a map, like {p95: 200ms}", limit_names(),
       [&](const std::string& key, const Yaml&, const Yaml& limit) { out.push_back(limit_of(key, limit, least)); });
  if (value.entries.empty()) fail(value, "a limit is expected here, like {p95: 200ms}");
}

PolicyCondition condition_of(const Yaml& node) {
  static constexpr std::string_view keys[] = {"name", "route", "where", "at_least", "at_most", "over", "for"};
  PolicyCondition out;
  each(node, "a condition is a map with name, over and at_least or at_most", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "name") out.name = text(value, key);
         if (key == "route") out.route = route(value);
         if (key == "where") out.where = {expression(value)};
         if (key == "at_least" || key == "at_most") limits(value, key == "at_least", out.limits);
         if (key == "over") out.over = duration(value, key, Duration{1});
         if (key == "for") out.hold = duration(value, key, Duration{0});
       });
  if (out.name.empty()) fail(node, "the name is missing");
  if (out.limits.empty()) fail(node, "at_least or at_most is missing: there is no limit");
  if (out.over.count() == 0) fail(node, "over is missing: the window, like 10s");
  const auto labels = std::count_if(out.limits.begin(), out.limits.end(), [](const Limit& l) { return l.is_label(); });
  if (static_cast<std::size_t>(labels) > kMostLabels) fail(node, "a condition has at most 4 labels");
  if (out.where.empty())
    for (const Limit& limit : out.limits)
      if (limit.of == Limit::Of::share) fail(node, "share needs where: the requests whose share it is");
  return out;
}

class PolicyReader {
 public:
  Policy read(const Yaml& file) {
    static constexpr std::string_view keys[] = {"every", "conditions", "sampling", "breakers"};
    const Yaml *sampling = nullptr, *breakers = nullptr;
    out_.every = kEvery;
    each(file, "a map with conditions, sampling or breakers is expected here", keys,
         [&](const std::string& key, const Yaml& at, const Yaml& value) {
           if (key == "every") out_.every = duration(value, key, kLeastEvery);
           if (key == "conditions") read_conditions(value);
           if (key == "sampling") sampling = &value;
           if (key == "breakers") breakers = &value;
           if (value.line != 0 && (key == "sampling" || key == "breakers") && out_.not_watched.empty())
             out_.not_watched = place_of(at) + key;
           if (value.line != 0 && key == "breakers")
             not_live(
                 at,
                 "breakers reject requests, which only a replay can do (`tailcap policy`): a recorder rejects none");
         });
    // They name conditions, which may be below them.
    if (sampling) out_.sampling = sampling_of(*sampling);
    if (breakers) read_breakers(*breakers);
    if (out_.conditions.empty() && !out_.sampling && out_.breakers.empty())
      throw YamlError("1:1: there are no conditions, and neither sampling nor breakers");
    return std::move(out_);
  }

 private:
  static constexpr const char* kOfRoutes =
      "a rate of one route cannot be applied while recording: whole connections are recorded or left out, and which "
      "routes a connection will carry is not known then. Replay it with `tailcap policy`";

  static std::string place_of(const Yaml& at) {
    return std::to_string(at.line) + ":" + std::to_string(at.column) + ": ";
  }
  // The first counts.
  void not_live(const Yaml& at, const char* why) {
    if (out_.not_live.empty()) out_.not_live = place_of(at) + why;
  }

  void read_conditions(const Yaml& value) {
    for (const Yaml& entry : list(value, "conditions", kMost)) {
      PolicyCondition condition = condition_of(entry);
      if (asks_for_lines(condition))
        not_live(entry, "log_errors counts lines of log files, which only a replay reads (`tailcap policy`)");
      if (std::any_of(out_.conditions.begin(), out_.conditions.end(),
                      [&](const PolicyCondition& c) { return c.name == condition.name; }))
        fail(entry, "a condition has the name '" + printable(condition.name) + "' already");
      out_.conditions.push_back(std::move(condition));
    }
  }

  std::size_t condition(const Yaml& value) const {
    const std::string& name = scalar(value, "the name of a condition is expected here");
    std::vector<std::string_view> names;
    for (std::size_t i = 0; i < out_.conditions.size(); ++i) {
      if (out_.conditions[i].name == name) return i;
      names.push_back(out_.conditions[i].name);
    }
    fail(value, "there is no condition '" + printable(name) + "'" + formats::suggestion(name, names));
  }

  PolicySampling sampling_of(const Yaml& node) {
    static constexpr std::string_view keys[] = {"rate", "formula", "routes", "key", "keep", "adapt"};
    PolicySampling out;
    const Yaml* routes_at = nullptr;
    bool any = false;
    each(node, "sampling is a map with a rate or a formula", keys,
         [&](const std::string& key, const Yaml& at, const Yaml& value) {
           if (key == "rate") {
             out.rate = percentage(value, key);
             any = true;
           } else if (key == "formula") {
             out.formula = formula(value);
             not_live(at, kOfRoutes);
           } else if (key == "routes") {
             out.routes = routes_of(value);
             routes_at = &at;
             not_live(at, kOfRoutes);
           } else if (key == "key") {
             const std::string& name = scalar(value, "key is trace_id or x_request_id");
             // request_id: its name before, for one version.
             if (name != "trace_id" && name != "x_request_id" && name != "request_id")
               fail(value, "key is trace_id or x_request_id");
             out.key = name == "trace_id" ? PolicySampling::Key::trace_id : PolicySampling::Key::request_id;
             not_live(at, "key does not apply while recording: connections are chosen by their addresses and ports");
           } else if (key == "keep") {
             out.keep = expression(value);
             not_live(at,
                      "keep is decided when a request is over, and a recorder decides when its connection begins: take "
                      "snapshots of such requests (`tailcap watch --where`), or replay it with `tailcap policy`");
           } else {
             for (const Yaml& entry : list(value, "adapt", kMost)) out.adapt.push_back(adaptation_of(entry));
           }
         });
    if (routes_at && out.formula) fail(*routes_at, "a formula computes the rates of routes: give one of the two");
    if (!any && !out.formula) fail(node, "the rate is missing; with 0% only what keep means is kept");
    return out;
  }

  static std::vector<ListedRate> routes_of(const Yaml& value) {
    static constexpr std::string_view keys[] = {"route", "rate", "decided"};
    std::vector<ListedRate> out;
    std::set<std::string_view> names;
    for (const Yaml& entry : list(value, "routes", model::policy::kMostListedRates)) {
      ListedRate& one = out.emplace_back();
      bool rate = false;
      each(entry, "an entry of routes is a map with route and rate", keys,
           [&](const std::string& key, const Yaml&, const Yaml& given) {
             if (key == "route") one.route = route(given);
             if (key == "rate") one.rate = percentage(given, key), rate = true;
             if (key == "decided" && !is_utc(one.decided = scalar(given, "decided is a time in UTC")))
               fail(given, "decided is a time in UTC like 2026-03-01T12:34:56Z, not '" + printable(one.decided) + "'");
           });
      if (one.route.empty()) fail(entry, "the route is missing");
      if (!rate) fail(entry, "the rate is missing");
    }
    const std::vector<Yaml>& entries = value.items;
    for (std::size_t i = 0; i < out.size(); ++i)
      if (!names.insert(out[i].route).second)
        fail(entries[i], "the route '" + printable(out[i].route) + "' has a rate already");
    return out;
  }

  Adaptation adaptation_of(const Yaml& node) {
    static constexpr std::string_view keys[] = {"when", "route", "rate"};
    Adaptation out;
    bool when = false, rate = false;
    each(node, "an entry of adapt is a map with when and rate", keys,
         [&](const std::string& key, const Yaml& at, const Yaml& value) {
           if (key == "when") out.when = condition(value), when = true;
           if (key == "route") {
             out.route = route(value);
             not_live(at, kOfRoutes);
           }
           if (key == "rate") out.rate = percentage(value, key), rate = true;
         });
    if (!when) fail(node, "when is missing: the name of a condition");
    if (!rate) fail(node, "the rate is missing");
    return out;
  }

  void read_breakers(const Yaml& value) {
    for (const Yaml& entry : list(value, "breakers", kMost)) out_.breakers.push_back(breaker_of(entry));
  }

  Breaker breaker_of(const Yaml& node) const {
    static constexpr std::string_view keys[] = {"name", "route", "open", "open_for", "half_open"};
    Breaker out;
    each(node, "a breaker is a map with name, open and open_for", keys,
         [&](const std::string& key, const Yaml&, const Yaml& value) {
           if (key == "name") out.name = text(value, key);
           if (key == "route") out.route = route(value);
           if (key == "open")
             for (const Yaml& entry : list(value, "open", kMost)) {
               out.open.push_back(condition(entry));
               if (asks_for_lines(out_.conditions[out.open.back()]))
                 fail(entry, "a breaker sees requests only: its conditions cannot have log_errors");
             }
           if (key == "open_for") out.open_for = duration(value, key, Duration{1});
           if (key == "half_open") read_half_open(value, out);
         });
    if (out.name.empty()) fail(node, "the name is missing");
    if (out.open.empty()) fail(node, "open is missing: a list of conditions");
    if (out.open_for.count() == 0) fail(node, "open_for is missing: a time like 10s");
    if (out.resolve.empty())
      out.resolve = {{.metric = {Metric::Kind::errors, 0}, .least = false, .value = 0, .text = "0%"}};
    return out;
  }

  static void read_half_open(const Yaml& node, Breaker& out) {
    static constexpr std::string_view keys[] = {"requests", "at_most"};
    const Yaml* at = nullptr;
    each(node, "half_open is a map with requests and at_most", keys,
         [&](const std::string& key, const Yaml&, const Yaml& value) {
           if (key == "at_most") {
             limits(value, false, out.resolve);
             at = &value;
             return;
           }
           const auto number = parse_number(scalar(value, "a number of requests is expected here"));
           if (!number || *number < 1 || *number > static_cast<std::int64_t>(kMostProbes))
             fail(value, "requests is a number from 1 to 1,000,000");
           out.probes = static_cast<std::size_t>(*number);
         });
    for (const Limit& limit : out.resolve) {
      const std::string name(name_of(limit));
      if (limit.of != Limit::Of::metric || limit.is_label())
        fail(*at, "half_open has percentiles, mean, errors and client_errors, not " + name);
      if (out.probes < least_for(limit))
        fail(*at, name + " needs " + std::to_string(least_for(limit)) + " requests; half_open lets " +
                      std::to_string(out.probes) + " pass");
    }
  }

  Policy out_;
};

}  // namespace

Policy policy_of(std::string_view yaml) { return PolicyReader().read(yaml_of(yaml, "conditions")); }

}  // namespace tailcap::query
