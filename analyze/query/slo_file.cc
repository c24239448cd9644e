#include "analyze/query/slo_file.h"

#include <optional>
#include <span>

#include "analyze/query/literal.h"
#include "analyze/query/yaml.h"
#include "formats/printable.h"

namespace tailcap::query {
namespace {

using formats::printable;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::Slo;

constexpr std::size_t kMostSlos = 1000;
constexpr std::int64_t kLeastPeriod = 7, kMostPeriod = 366;  // days

model::Role role_of(const Yaml& value) {
  const std::string& role = scalar(value, "server or client is expected here");
  if (role != "server" && role != "client") fail(value, "the role is server or client, not '" + printable(role) + "'");
  return role == "server" ? model::Role::server : model::Role::client;
}

std::int64_t time_of(const Yaml& value, const char* what) {
  const std::string& text = scalar(value, what);
  const auto ns = parse_duration(text);
  if (!ns) fail(value, std::string(what) + ", not '" + printable(text) + "'");
  return *ns;
}

// Burn rates of a shorter one would be below the limit itself.
std::int64_t period_of(const Yaml& value) {
  const std::int64_t ns = time_of(value, "the period is a time like 30d");
  if (ns < kLeastPeriod * model::gate::kDay || ns > kMostPeriod * model::gate::kDay)
    fail(value, "the period of an error budget is from 7d to 366d");
  return ns;
}

Objective objective_of(const std::string& key, const Yaml& value) {
  Objective out;
  out.metric = *model::gate::metric_of(key);
  out.text = scalar(value, "a limit is expected here");
  out.line = value.line;
  std::optional<double> limit;
  const char* expected = nullptr;
  if (out.metric.share()) {
    limit = parse_percentage(out.text);
    expected = "a percentage like 0.5%";
  } else if (out.metric.timed()) {
    const bool label = out.metric.kind == Metric::Kind::label;
    if (label) limit = parse_percentage(out.text);
    out.of_time = limit.has_value();
    if (!limit)
      if (const auto ns = parse_duration(out.text)) limit = static_cast<double>(*ns);
    expected = label ? "a time per request like 5ms, or a percentage of the time" : "a time like 200ms";
  } else {
    limit = parse_decimal(out.text);
    if (!limit)
      if (const auto size = parse_size(out.text)) limit = static_cast<double>(*size);
    expected = "a number like 3 or 1.5, or a size like 4kB";
  }
  if (!limit) fail(value, "the limit of " + key + " is " + expected + ", not '" + printable(out.text) + "'");
  out.limit = *limit;
  return out;
}

Slo slo_of(const Yaml& node) {
  static constexpr std::string_view keys[] = {"name",     "description", "route",  "role",
                                              "severity", "for",         "period", "at_most"};
  Slo out;
  out.line = node.line;
  each(node, "an entry of slos is a map with route and at_most", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "name") out.name = scalar(value, "a name is expected here");
         if (key == "route") out.route = scalar(value, "a route is expected here, like POST /pay");
         if (key == "description") out.description = scalar(value, "a text is expected here");
         if (key == "role") out.role = role_of(value);
         if (key == "severity") out.severity = scalar(value, "a word for alerts is expected here, like page");
         if (key == "for") out.hold = time_of(value, "how long before an alert fires is a time like 5m");
         if (key == "period") out.period = period_of(value);
         if (key != "at_most") return;
         static const std::vector<std::string_view> metrics = model::gate::metric_names();
         each(value, "limits are a map, like {p99: 200ms}", metrics,
              [&](const std::string& metric, const Yaml&, const Yaml& limit) {
                out.objectives.push_back(objective_of(metric, limit));
              });
       });
  if (out.route.empty()) fail(node, "the route is missing; '*' is every route");
  if (out.objectives.empty()) fail(node, "at_most is missing: there is no limit");
  return out;
}

}  // namespace

std::vector<Slo> slos_of(std::string_view yaml) {
  const Yaml file = yaml_of(yaml, "a list slos");
  std::vector<Slo> out;
  static constexpr std::string_view keys[] = {"slos"};
  each(file, "a map with a list slos is expected here", keys, [&](const std::string&, const Yaml&, const Yaml& value) {
    for (const Yaml& entry : list(value, "slos", kMostSlos)) out.push_back(slo_of(entry));
  });
  if (out.empty()) throw YamlError("1:1: there are no slos");
  return out;
}

}  // namespace tailcap::query
