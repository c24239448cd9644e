#include "analyze/query/slo_file.h"

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <set>
#include <span>

#include "analyze/query/literal.h"
#include "formats/nearest.h"
#include "formats/printable.h"

namespace tailcap::query {
namespace {

using formats::printable;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::Slo;

constexpr std::size_t kMostSlos = 1000;

[[noreturn]] void fail(const YAML::Mark& mark, const std::string& why) {
  throw SloError(mark.is_null() ? why
                                : std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1) + ": " + why);
}

std::string scalar(const YAML::Node& node, const std::string& what) {
  if (!node.IsScalar() || node.Scalar().empty()) fail(node.Mark(), what);
  return node.Scalar();
}

// Every key once, and only known ones: a mistyped key would otherwise promise nothing.
void each(const YAML::Node& map, const std::string& what, std::span<const std::string_view> known,
          const std::function<void(const std::string&, const YAML::Node& key, const YAML::Node& value)>& take) {
  if (!map.IsMap()) fail(map.Mark(), what);
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string key = scalar(entry.first, "a key is expected here");
    bool any = false;
    for (const std::string_view name : known) any = any || name == key;
    if (!any) fail(entry.first.Mark(), "unknown key '" + printable(key) + "'" + formats::suggestion(key, known));
    if (!seen.insert(key).second) fail(entry.first.Mark(), "'" + key + "' is given twice");
    take(key, entry.first, entry.second);
  }
}

std::optional<double> percentage(std::string_view text) {
  if (!text.ends_with('%')) return std::nullopt;
  text.remove_suffix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  const auto value = parse_decimal(text);
  return value && *value <= 100 ? std::optional(*value / 100) : std::nullopt;
}

Objective objective_of(const std::string& key, const YAML::Node& value) {
  Objective out;
  out.metric = *model::gate::metric_of(key);
  out.text = scalar(value, "a limit is expected here");
  out.line = static_cast<std::size_t>(value.Mark().line + 1);
  std::optional<double> limit;
  const char* expected = nullptr;
  if (out.metric.share()) {
    limit = percentage(out.text);
    expected = "a percentage like 0.5%";
  } else if (out.metric.timed()) {
    const bool label = out.metric.kind == Metric::Kind::label;
    if (label) limit = percentage(out.text);
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
  if (!limit) fail(value.Mark(), "the limit of " + key + " is " + expected + ", not '" + printable(out.text) + "'");
  out.limit = *limit;
  return out;
}

Slo slo_of(const YAML::Node& node) {
  static constexpr std::string_view keys[] = {"name", "route", "at_most"};
  Slo out;
  each(node, "an objective is a map with route and at_most", keys,
       [&](const std::string& key, const YAML::Node&, const YAML::Node& value) {
         if (key == "name") out.name = scalar(value, "a name is expected here");
         if (key == "route") out.route = scalar(value, "a route is expected here, like POST /pay");
         if (key != "at_most") return;
         static const std::vector<std::string_view> metrics = model::gate::metric_names();
         each(value, "limits are a map, like {p99: 200ms}", metrics,
              [&](const std::string& metric, const YAML::Node&, const YAML::Node& limit) {
                out.objectives.push_back(objective_of(metric, limit));
              });
       });
  if (out.route.empty()) fail(node.Mark(), "the route is missing; '*' is every route");
  if (out.objectives.empty()) fail(node.Mark(), "at_most is missing: there is no limit");
  return out;
}

}  // namespace

std::vector<Slo> slos_of(std::string_view yaml) {
  if (yaml.size() > kMostSloBytes) throw SloError("1:1: the file is larger than 1 MiB");
  std::vector<Slo> out;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(std::string(yaml));
    if (documents.size() != 1) throw SloError("1:1: one YAML document is expected, with a list slos");
    static constexpr std::string_view keys[] = {"slos"};
    bool any = false;
    each(documents.front(), "a map with a list slos is expected here", keys,
         [&](const std::string&, const YAML::Node&, const YAML::Node& value) {
           if (!value.IsSequence()) fail(value.Mark(), "slos is a list");
           any = true;
           for (const auto& entry : value) {
             if (out.size() == kMostSlos) fail(entry.Mark(), "more than 1,000 objectives");
             out.push_back(slo_of(entry));
           }
         });
    if (!any || out.empty()) throw SloError("1:1: there are no slos");
  } catch (const YAML::Exception& e) {
    fail(e.mark, printable(e.msg));
  }
  return out;
}

}  // namespace tailcap::query
