#include "analyze/export/alert_rules.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <string_view>
#include <utility>

#include "analyze/export/metric_series.h"
#include "formats/printable.h"

namespace tailcap::exports {
namespace {

using formats::printable;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::Slo;

constexpr const char* kBy = "service, role, method, route";
constexpr const char* kWindow = "5m";
// Rates are rounded: what is exactly at its limit keeps it.
constexpr const char* kAtTheLimit = " * 1.000000001";
constexpr const char* kAtTheShare = " * 0.999999999";

// A share of the error budget that is used up within a window, at the end of which somebody should know: those of
// Google's SRE workbook, whose burn rates are 14.4 and 6 where the budget is that of 30 days.
struct Burn {
  const char* name;
  const char* severity;
  double budget, hours;
  const char *window, *recent;
};
constexpr Burn kBurns[] = {{"Fast", "page", 0.02, 1, "1h", "5m"}, {"Slow", "ticket", 0.05, 6, "6h", "30m"}};

// Those that the service failed or that broke off, and those whose outcome is known.
constexpr const char* kFailed = ",outcome=~\"server_error|truncated|reset|no_response|cancelled\"";
constexpr const char* kRefused = ",outcome=\"client_error\"";
constexpr const char* kOver = ",outcome!~\"in_flight|unknown\"";

std::string decimal(double value) {
  char text[400];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  return {text, end};
}

std::string rule_seconds(double ns) { return decimal(ns / 1e9); }

// As Prometheus writes durations; rounded up to a millisecond.
std::string hold_text(std::int64_t ns) {
  std::int64_t ms = ns / 1'000'000 + (ns % 1'000'000 > 0);
  std::string out;
  for (const auto& [unit, size] :
       {std::pair<const char*, std::int64_t>{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}) {
    if (ms >= size) out += std::to_string(ms / size) + unit;
    ms %= size;
  }
  return out.empty() ? "0s" : out;
}

std::string yaml_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? "''" : std::string(1, c);
  return out + "'";
}

std::string query_text(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// Annotations and labels of alerts are templates.
std::string no_template(std::string text) {
  for (std::size_t at = 0; (at = text.find("{{", at)) != text.npos; at += 8) text.replace(at, 2, "{{\"{{\"}}");
  return text;
}

std::string pattern_text(std::string_view literal) {
  std::string out;
  for (const char c : literal) {
    if (std::string_view("\\.+*?()|[]{}^$").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string selector_of(const Slo& slo, std::string_view method, std::string_view path) {
  std::string out = "role=" + query_text(model::name_of(slo.role.value_or(model::Role::server)));
  if (!method.empty()) out += ",method=" + query_text(method);
  if (path.ends_with('*')) {
    path.remove_suffix(1);
    if (!path.empty()) out += ",route=~" + query_text(pattern_text(printable(path)) + ".*");
  } else {
    out += ",route=" + query_text(printable(path));
  }
  return out;
}

// "lock.futex": "LockFutex".
std::string alert_name(std::string_view metric) {
  std::string out = "TailcapSlo";
  bool upper = true;
  for (const char c : metric) {
    const bool letter = c != '.' && c != '_';
    if (letter) out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = !letter;
  }
  return out;
}

class Group {
 public:
  Group(const Slo& slo, std::string id, AlertRules& out) : slo_(slo), id_(std::move(id)), out_(out) {}

  void write() {
    const auto space = slo_.route.find(' ');
    const std::string method = space == slo_.route.npos ? "" : slo_.route.substr(0, space);
    const std::string path = space == slo_.route.npos ? slo_.route : slo_.route.substr(space + 1);
    selector_ = selector_of(slo_, method, path);
    for (const Objective& objective : slo_.objectives) {
      if (!method.empty() && exported_method(method) != method)
        cannot(objective, "the metrics have _OTHER in place of this method");
      else if (objective.metric.counted() || objective.metric.of_own_time())
        cannot(objective, "it is not among the metrics");
      else
        limit(objective);
    }
    if (rules_.empty()) {
      out_.yaml += notes_;
      return;
    }
    out_.yaml += notes_ + "  - name: " + yaml_text("tailcap slo: " + id_) + "\n    rules:\n" + rules_;
  }

 private:
  std::string limit_text(const Objective& o) const {
    return std::string(name_of(o.metric)) + " ≤ " + printable(o.text);
  }
  void note(const std::string& text) { notes_ += "  # " + text + "\n"; }
  void say(const Objective& o, const std::string& text) {
    out_.limits.push_back("line " + std::to_string(o.line) + ": " + id_ + ", " + limit_text(o) + ": " + text);
    note(out_.limits.back());
  }
  void cannot(const Objective& o, const std::string& why) { say(o, "left out: " + why); }

  std::string rate(const char* metric, const std::string& more, const char* window, const char* also_by = "") const {
    return std::string("sum by (") + kBy + also_by + ") (rate(" + metric + "{" + selector_ + more + "}[" + window +
           "]))";
  }
  std::string native(const char* window) const { return rate("tailcap_request_duration_seconds", "", window); }
  std::string sum_of_durations() const {
    return "(" + rate("tailcap_request_duration_seconds_sum", "", kWindow) + "\nor histogram_sum(" + native(kWindow) +
           "))";
  }
  std::string number_of_durations() const {
    return "(" + rate("tailcap_request_duration_seconds_count", "", kWindow) + "\nor histogram_count(" +
           native(kWindow) + "))";
  }
  // A counter has no series before it has counted something.
  static std::string at_least_zero(const std::string& some, const std::string& all) {
    return "(" + some + "\nor 0 * " + all + ")";
  }

  std::string quantile(const Objective& o, double q) {
    const std::string head = "histogram_quantile(" + decimal(q) + kAtTheShare + ", ";
    const std::string classic = head + rate("tailcap_request_duration_seconds_bucket", "", kWindow, ", le") + ")";
    const std::string by_native = head + native(kWindow) + ")";
    const auto above = std::find_if(kBounds.begin(), kBounds.end(),
                                    [&](const auto& bound) { return o.limit <= static_cast<double>(bound.first); });
    if (kBounds.end() - above <= 2) {  // +Inf, or the bound below, which stands for all that is beyond it
      say(o, "only native histograms (`tailcap export --format prometheus`) tell durations beyond 10 s apart");
      return by_native;
    }
    if (o.limit == static_cast<double>(above->first)) return classic + "\nor " + by_native;
    note(limit_text(o) + ": lies between bounds of the classic buckets, at " +
         (above == kBounds.begin() ? "0" : (above - 1)->second) + " s and " + above->second +
         " s; between them Prometheus interpolates. Native buckets are 4.4 % wide.");
    return by_native + "\nor " + classic;
  }

  std::string share(const char* outcomes, const char* window) const {
    const std::string all = rate("tailcap_requests_total", kOver, window);
    return at_least_zero(rate("tailcap_requests_total", outcomes, window), all) + "\n/ " + all;
  }

  std::string label_time(const Objective& o) const {
    const bool none = o.metric.which == model::gate::kNoAccount;
    const std::string label = none ? "" : ",label=" + query_text(model::gate::account_name(o.metric.which));
    const std::string total = sum_of_durations();
    std::string time = at_least_zero(rate("tailcap_request_label_seconds_total", label, kWindow), total);
    if (none) time = "(" + total + "\n- " + time + ")";
    return time + "\n/ " + (o.of_time ? total : number_of_durations());
  }

  void record(const std::string& name, const std::string& expression) {
    rules_ += "      - record: " + name + "\n        labels: {slo: " + yaml_text(id_) + "}\n";
    add_expression(expression);
  }
  void add_expression(const std::string& expression) {
    rules_ += "        expr: |-\n          ";
    for (const char c : expression) rules_ += c == '\n' ? std::string("\n          ") : std::string(1, c);
    rules_ += '\n';
  }
  std::string recorded(const std::string& name) const { return name + "{slo=" + query_text(id_) + "}"; }

  void alert(const std::string& name, const std::string& expression, const std::string& hold, const char* severity,
             const std::string& summary) {
    rules_ += "      - alert: " + name + "\n";
    add_expression(expression);
    if (!hold.empty()) rules_ += "        for: " + hold + "\n";
    // The label slo comes with the expression; said again, it tells alerts of one name apart.
    rules_ += "        labels: {severity: " +
              yaml_text(slo_.severity.empty() ? severity : no_template(printable(slo_.severity))) +
              ", slo: " + yaml_text(no_template(id_)) + "}\n";
    rules_ += "        annotations:\n          summary: " + yaml_text(summary) + "\n";
    if (!slo_.description.empty())
      rules_ += "          description: " + yaml_text(no_template(printable(slo_.description))) + "\n";
    ++out_.alerts;
  }

  void limit(const Objective& o) {
    const bool share_of = o.metric.share() || o.of_time;
    std::string metric(name_of(o.metric));
    std::replace(metric.begin(), metric.end(), '.', '_');
    const std::string name = "tailcap_slo:" + metric + (share_of ? "_share" : "_seconds") + ":rate";
    const bool errors = o.metric.kind == Metric::Kind::errors;
    if (const auto q = o.metric.quantile())
      record(name + kWindow, quantile(o, *q));
    else if (o.metric.kind == Metric::Kind::mean)
      record(name + kWindow, sum_of_durations() + "\n/ " + number_of_durations());
    else if (o.metric.share())
      record(name + kWindow, share(errors ? kFailed : kRefused, kWindow));
    else
      record(name + kWindow, label_time(o));
    const std::string whose = " of {{ $labels.method }} {{ $labels.route }} of {{ $labels.service }}";
    alert(alert_name(name_of(o.metric)),
          recorded(name + kWindow) + " > " + (share_of ? decimal(o.limit) : rule_seconds(o.limit)) + kAtTheLimit,
          hold_text(slo_.hold), "ticket",
          std::string(name_of(o.metric)) + whose + ": {{ $value | " +
              (share_of ? "humanizePercentage" : "humanizeDuration") + " }}, at most " +
              no_template(printable(o.text)));
    if (!errors) return;
    for (const Burn& burn : kBurns)
      for (const char* window : {burn.recent, burn.window})
        if (std::string_view(window) != kWindow) record(name + window, share(kFailed, window));
    for (const Burn& burn : kBurns) burn_alert(o, name, burn);
  }

  void burn_alert(const Objective& o, const std::string& name, const Burn& burn) {
    const double times = burn.budget * static_cast<double>(slo_.period) / (burn.hours * 60 * model::gate::kMinute);
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, times, std::chars_format::general, 6).ptr;
    const std::string factor(text, end);
    if (times * o.limit >= 1) {
      say(o, "no alert of its burn over " + std::string(burn.window) + ": " + factor +
                 " times the limit would be more than all requests");
      return;
    }
    const std::string most = " > " + factor + " * " + decimal(o.limit);
    alert(alert_name(name_of(o.metric)) + "Burn" + burn.name,
          recorded(name + burn.recent) + most + "\nand " + recorded(name + burn.window) + most, "", burn.severity,
          "errors of {{ $labels.method }} {{ $labels.route }} of {{ $labels.service }}: {{ $value | "
          "humanizePercentage }} in " +
              std::string(burn.recent) + "; more than " + factor + " times " + no_template(printable(o.text)) + " in " +
              burn.window);
  }

  const Slo& slo_;
  const std::string id_;
  AlertRules& out_;
  std::string selector_, notes_, rules_;
};

}  // namespace

AlertRules alert_rules(std::span<const Slo> slos, const std::string& made_of) {
  AlertRules out;
  out.yaml =
      "# Rules for Prometheus 2.40 or later, made of " + made_of +
      ". Change that file, not this one.\n"
      "# They are over the metrics of `tailcap export --format openmetrics` and `--format prometheus`.\n"
      "# Rates are rounded: with the factors 1.000000001 and 0.999999999, what is exactly at its limit keeps it.\n"
      "groups:\n";
  std::set<std::string> ids;
  for (const Slo& slo : slos) {
    const std::string name = printable(slo.name.empty() ? slo.route : slo.name);
    std::string id = name;
    for (int n = 2; !ids.insert(id).second; ++n) id = name + " #" + std::to_string(n);
    Group(slo, id, out).write();
  }
  if (out.alerts == 0) out.yaml += "  []\n";
  return out;
}

}  // namespace tailcap::exports
