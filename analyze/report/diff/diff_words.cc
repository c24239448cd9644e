#include "analyze/report/diff/diff_words.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::difference::CalleeContrast;
using model::difference::Contrast;
using model::difference::Difference;
using model::difference::FunctionContrast;
using model::difference::RouteDifference;
using model::gate::Count;
using model::gate::Metric;
using MetricKind = Metric::Kind;

constexpr double kOtherLoad = 1.1;     // times as many requests
constexpr double kPartOfChange = 0.1;  // of a change: less is not worth a mention
constexpr double kOtherWaits = 0.1;    // of the time of a request
constexpr std::size_t kNamedLabels = 3, kNamedCalls = 2, kCalleeWidth = 90;
constexpr double kLeastWaits = 50'000;  // ns

constexpr Metric kOfTime{MetricKind::label, 0};

std::string ratio_text(double ratio) {
  char text[32];
  std::snprintf(text, sizeof text, ratio >= 10 ? "%.0f" : ratio >= 1 ? "%.1f" : "%.2f", ratio);
  return text;
}

std::string ns_text(double ns) { return value_text(kOfTime, ns); }

bool is_count(const Contrast& c, Count count) {
  return c.metric.kind == MetricKind::count && c.metric.which == static_cast<std::uint8_t>(count);
}

std::string callee_text(const std::string& callee) { return "`" + shortened(printable(callee), kCalleeWidth) + "`"; }

// "makes 1 call of `GET /tax` a request, none in A".
std::string calls_text(const CalleeContrast& c) {
  const Contrast& n = c.per_request;
  const Metric& m = n.metric;
  const std::string now = value_text(m, n.level[1]), before = value_text(m, n.level[0]);
  if (c.calls[1] == 0) return "makes no call of " + callee_text(c.callee) + ", in A " + before + " a request";
  const std::string made =
      "makes " + now + (now == "1" ? " call of " : " calls of ") + callee_text(c.callee) + " a request, ";
  return made + (c.calls[0] == 0 ? "none in A" : "in A " + before);
}

std::vector<std::string> call_parts(const RouteDifference& r) {
  std::vector<std::string> out;
  std::size_t more = 0;
  for (const CalleeContrast& c : r.callees) {
    if (!c.per_request.changed) continue;
    if (out.size() < kNamedCalls)
      out.push_back(calls_text(c));
    else
      ++more;
  }
  if (more > 0) out.back() += " (and " + count_text(more, "more callee", "more callees") + " that changed)";
  return out;
}

std::string function_text(const FunctionContrast& f) {
  return change_text(kOfTime, f.time.change) + " on a CPU in " + printable(f.name) +
         (f.caller.empty() ? "" : ", called from " + printable(f.caller)) + " (" + ns_text(f.time.level[0]) + " → " +
         ns_text(f.time.level[1]) + ", " + count_text(f.samples[0]) + " and " +
         count_text(f.samples[1], "sample", "samples") + ")";
}

// The labels that make up the change of the time, and the function where the time on a CPU did.
std::string reasons_text(const RouteDifference& r, const Contrast& own) {
  const double all = own.level[1] - own.level[0];
  std::string out;
  std::size_t named = 0;
  bool doubt = false;
  for (const Contrast& label : r.labels) {
    if (model::gate::waits_for_cpu(label.metric.which) || named == kNamedLabels) continue;
    const double part = label.change / all;
    if (part < kPartOfChange || (named > 0 && !label.changed)) continue;
    doubt = doubt || !label.changed;
    ++named;
    out += (out.empty() ? "" : ", ") + change_text(kOfTime, label.change) + " " + account_text(label.metric.which);
  }
  return out.empty() ? out : out + (doubt ? ", which is uncertain" : "");
}

std::string functions_text(const RouteDifference& r) {
  for (const FunctionContrast& f : r.functions)
    if (f.time.changed) return function_text(f);
  return {};
}

// "takes 20.1 ms longer in B: 3.05 ms → 23.2 ms on average without waits for a CPU (+658 %; 95 %: …)".
std::string change_of_time_text(const Contrast& c, const char* what) {
  const double by = c.level[1] - c.level[0];
  return "takes " + ns_text(std::abs(by)) + (by > 0 ? " longer" : " less") + " in B: " + levels_text(c) + " " + what +
         " without waits for a CPU (" + contrast_text(c) + ")";
}

void add_numbers(const RouteDifference& r, std::vector<std::string>& out) {
  for (const Contrast& c : r.metrics) {
    if (!c.changed || c.metric.relative()) continue;
    if (c.metric.kind == MetricKind::errors)
      out.push_back("fails in " + value_text(c.metric, c.level[1]) + " of its requests, in A in " +
                    value_text(c.metric, c.level[0]) + " (" + contrast_text(c) + ")");
    else if (c.metric.kind == MetricKind::client_errors)
      out.push_back("is answered 4xx in " + value_text(c.metric, c.level[1]) + ", in A in " +
                    value_text(c.metric, c.level[0]) + " (" + contrast_text(c) + ")");
  }
  const std::vector<std::string> calls = call_parts(r);
  out.insert(out.end(), calls.begin(), calls.end());
  for (const Contrast& c : r.metrics) {
    if (!c.changed || c.metric.relative() || c.metric.share()) continue;
    // The callees say it already.
    if (!calls.empty() && (is_count(c, Count::calls) || is_count(c, Count::same_calls))) continue;
    if (is_count(c, Count::same_calls) && !r.most_called.empty()) {
      out.push_back("makes " + value_text(c.metric, c.level[1]) + " calls of one callee a request, most of " +
                    callee_text(r.most_called) + ", in A " + value_text(c.metric, c.level[0]));
      continue;
    }
    out.push_back("has " + value_text(c.metric, c.level[1]) + " " + std::string(name_of(c.metric)) +
                  " a request, in A " + value_text(c.metric, c.level[0]) +
                  (c.exact ? "" : " (" + contrast_text(c) + ")"));
  }
}

std::string as_one(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : "; it ") + part;
  return out;
}

}  // namespace

std::string levels_text(const Contrast& c) {
  return value_text(c.metric, c.level[0]) + " → " + value_text(c.metric, c.level[1]);
}

std::string contrast_text(const Contrast& c) {
  if (c.exact) return change_text(c.metric, c.change) + ", exact";
  return change_text(c.metric, c.change) + "; 95 %: " + change_text(c.metric, c.low) + " … " +
         change_text(c.metric, c.high);
}

std::string change_sentence(const Difference& d, std::size_t place) {
  const auto& change = d.changes[place];
  const RouteDifference& r = d.routes[change.route];
  std::vector<std::string> parts;
  const Contrast* const own = r.find(MetricKind::own_mean);
  const Contrast* const tail = r.find(MetricKind::own_p99);
  std::string function = functions_text(r);
  if (own && own->changed) {
    std::string text = change_of_time_text(*own, "on average");
    if (const std::string labels = reasons_text(r, *own); !labels.empty()) text += ": " + labels;
    if (!function.empty()) text += "; " + function;
    function.clear();
    parts.push_back(std::move(text));
  } else if (tail && tail->changed) {
    parts.push_back(change_of_time_text(*tail, "at the p99"));
  }
  if (!function.empty()) parts.push_back("spends " + function + " a request");
  add_numbers(r, parts);
  std::string out = route_text(r.name) + " " + as_one(parts) + ".";
  if (change.explained_by >= 0) {
    const auto& reason = d.routes[d.changes[static_cast<std::size_t>(change.explained_by)].route];
    out += " It calls " + route_text(reason.name) + ": see " + std::to_string(change.explained_by + 1) + ".";
  }
  return out;
}

std::string headline(const Difference& d) {
  if (d.same) return "A and B are the same capture: there is nothing to compare.";
  if (d.compared == 0) return "Nothing can be compared: there is no route with 30 requests on both sides.";
  if (d.changes.empty()) return "No difference that these captures can show.";
  const std::size_t n = d.changes.size();
  return n == 1 ? "One route changed." : count_text(n, "route", "routes") + " changed; what changed most comes first.";
}

std::string load_sentence(const Difference& d) {
  const auto& [a, b] = d.sides;
  const std::string rates = rate_text(b.per_second) + ", A " + rate_text(a.per_second);
  if (!(a.per_second > 0) || !(b.per_second > 0)) return "How the loads differ is not known.";
  const double ratio = b.per_second / a.per_second;
  if (ratio < kOtherLoad && ratio > 1 / kOtherLoad)
    return "A and B had about the same load: " + rate_text(a.per_second) + " and " + rate_text(b.per_second) + ".";
  return "B had " + ratio_text(ratio) + " × the requests a second: " + rates +
         ". The intervals of times are wider by that.";
}

std::string cpu_sentence(const Difference& d) {
  const auto& [a, b] = d.sides;
  const double by = b.cpu_waits - a.cpu_waits;
  if (std::abs(by) < std::max(kLeastWaits, kOtherWaits * a.cpu)) return {};
  return "A request waited " + ns_text(b.cpu_waits) + " for a CPU in B, " + ns_text(a.cpu_waits) +
         " in A, on average. That depends on what else ran on the machine, and is no part of the changes.";
}

std::vector<std::string> detectable_lines(const Difference& d, std::size_t most) {
  std::vector<std::string> out;
  for (const RouteDifference& r : d.routes) {
    const Contrast* const own = r.find(MetricKind::own_mean);
    const Contrast* const errors = r.find(MetricKind::errors);
    if (!own || !own->known || out.size() == most) continue;
    std::string text = route_text(r.name) + ": " + change_text(own->metric, own->detectable) + " of " +
                       ns_text(own->level[0]) + " on average";
    if (errors && errors->known) text += ", " + change_text(errors->metric, errors->detectable) + " of errors";
    out.push_back(std::move(text));
  }
  return out;
}

std::vector<std::string> remarks(const Difference& d) {
  std::vector<std::string> out;
  const char* name = "A";
  if (!d.same && d.one_recording && d.sides[0].part.empty())
    out.push_back("A and B come of one recording: one of them may be a part of the other.");
  for (const auto& side : d.sides) {
    if (!side.whole) out.push_back(std::string(name) + " is damaged, cut short, or was not read to its end.");
    if (side.lost > 0)
      out.push_back(std::string(name) + " lost " + count_text(side.lost, "event", "events") +
                    " while it was recorded.");
    if (side.undecided_calls > 0)
      out.push_back(count_text(side.undecided_calls, "call", "calls") + " of " + name +
                    (side.undecided_calls == 1 ? " has" : " have") +
                    " several possible parents; a smaller change of calls than these could make is not named.");
    name = "B";
  }
  return out;
}

}  // namespace tailcap::report
