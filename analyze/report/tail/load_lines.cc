#include "analyze/report/tail/load_lines.h"

#include <algorithm>
#include <charconv>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::tail {
namespace {

using model::LoadStudy;

constexpr std::uint64_t kLeastForMedian = 20;  // requests in a band; fewer are left out
constexpr double kCorrelated = 0.8;            // observed over independent: below, slow calls come together

std::string decimal(double value, int places) {
  char text[48];
  return std::string(text, std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, places).ptr);
}

std::string call_name(const model::FanOut::Slowest& s, const model::TextPool& texts) {
  std::string out = (s.method != 0 ? shortened(printable(texts[s.method]), 20) + " " : "") +
                    (s.route != 0 ? shortened(printable(texts[s.route]), 60) : "?");
  return s.authority != 0 ? out + " at " + shortened(printable(texts[s.authority]), 40) : out;
}

std::string in_flight_text(const LoadStudy& load) {
  std::string out;
  std::size_t bands = 0;
  for (const auto& b : load.in_flight) {
    if (b.count < kLeastForMedian) continue;
    ++bands;
    out += (out.empty() ? "" : " · ") + count_text(b.from) + (b.to > b.from ? "–" + count_text(b.to) : "") +
           (bands == 1 ? " in flight: " : ": ") + duration_text(b.median) + " (";
    if (b.count >= kLeastForP95) out += "p95 " + duration_text(b.p95) + ", ";
    out += count_text(b.count, "request", "requests") + ")";
  }
  return bands < 2 ? "" : out;
}

std::string fan_out_text(const model::FanOut& f, const model::TextPool& texts) {
  std::string out = count_text(f.requests, "request", "requests") + " made " + decimal(f.calls, 1) +
                    " calls each, some at once. A call is slow beyond " + duration_text(f.limit) + " (" +
                    share_text(f.slow_calls, 1.0) + " are): " + share_text(f.observed, 1.0) +
                    " of the requests had a slow one, " + share_text(f.independent, 1.0) +
                    " would if calls were slow independently of each other";
  if (f.observed < kCorrelated * f.independent) out += "; so they are slow together, for a common reason";
  if (!f.slowest.empty()) {
    out += ". The slowest was ";
    for (std::size_t i = 0; i < f.slowest.size(); ++i)
      out +=
          (i == 0 ? "" : ", ") + call_name(f.slowest[i], texts) + " in " + share_text(f.slowest[i].count, f.requests);
  }
  return out;
}

std::string head_of_line_text(const LoadStudy& load) {
  std::string out;
  for (const auto& h : load.head_of_line) {
    out += (out.empty() ? "" : "; ") + std::string(model::text_of(h.label)) + ": " +
           count_text(h.requests, "request", "requests") + " on " +
           count_text(h.connections, "connection", "connections") + ", " + duration_text(Duration{h.time}) +
           " together";
    if (h.connections > 1)
      out += ", most on connection " + std::to_string(h.worst) + " (" + count_text(h.worst_requests) + ")";
  }
  return out;
}

std::string retries_text(const model::RetryStudy& r) {
  std::string out =
      count_text(r.attempts, "attempt", "attempts") + " for " + count_text(r.calls, "call", "calls") + " (" +
      decimal(static_cast<double>(r.attempts) / static_cast<double>(std::max<std::uint64_t>(r.calls, 1)), 2) +
      " each); " + count_text(r.retried, "call was", "calls were") + " made more than once";
  if (r.call_mean.count() > 0)
    out += ", and took " + duration_text(r.call_mean) + " with all attempts where one attempt took " +
           duration_text(r.attempt_mean);
  return out;
}

}  // namespace

std::vector<FactLine> load_lines(const model::RouteStudy& route, const model::TextPool& texts) {
  std::vector<FactLine> out;
  const LoadStudy& load = route.load;
  const auto add = [&](const char* label, std::string text, Tone tone = Tone::plain) {
    if (!text.empty()) out.push_back({tone, label, std::move(text)});
  };
  add("by concurrency", in_flight_text(load));
  if (!load.little.holds)
    add("unfinished",
        "on average " + decimal(load.little.in_flight, 2) + " were under way, where rate and mean duration give " +
            decimal(load.little.expected, 2) + ": durations are missing that are not like the others",
        Tone::care);
  if (load.fan_out) add("fan-out", fan_out_text(*load.fan_out, texts));
  add("head of line", head_of_line_text(load));
  if (load.retries) add("retries", retries_text(*load.retries));
  return out;
}

std::string arrivals_text(const model::Study& study) {
  const model::Arrivals& a = study.arrivals;
  if (!a.closed_loop) return {};
  return "Closed loop: " + share_text(a.at_once, a.next) +
         " of the requests came as soon as the one before on their connection was answered. What stalls such clients "
         "keeps their next requests from being sent; "
         "percentiles look better than those of users who do not wait for each other.";
}

}  // namespace tailcap::report::tail
