#include "analyze/export/openmetrics.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <tuple>

#include "formats/printable.h"

namespace tailcap::exports {
namespace {

using model::Request;

// Upper bounds in ns, and as OpenMetrics writes them: a service's requests lie between 0.1 ms and 10 s.
constexpr std::array kBounds = std::to_array<std::pair<std::int64_t, const char*>>({
    {100'000, "0.0001"},
    {250'000, "0.00025"},
    {500'000, "0.0005"},
    {1'000'000, "0.001"},
    {2'500'000, "0.0025"},
    {5'000'000, "0.005"},
    {10'000'000, "0.01"},
    {25'000'000, "0.025"},
    {50'000'000, "0.05"},
    {100'000'000, "0.1"},
    {250'000'000, "0.25"},
    {500'000'000, "0.5"},
    {1'000'000'000, "1.0"},
    {2'500'000'000, "2.5"},
    {5'000'000'000, "5.0"},
    {10'000'000'000, "10.0"},
    {INT64_MAX, "+Inf"},
});

std::string_view method_of(std::string_view method) {
  constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  if (method.empty()) return "unknown";
  return std::find(kMethods.begin(), kMethods.end(), method) == kMethods.end() ? "_OTHER" : method;
}

// "1.234567890": exact.
std::string seconds(std::int64_t ns) {
  char text[40];
  std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(ns / 1'000'000'000),
                static_cast<long long>(ns % 1'000'000'000));
  return text;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : formats::printable(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

struct Exemplar {
  std::int64_t duration = -1;
  Measured of;
};

struct Series {
  std::array<std::uint64_t, kBounds.size()> counts{};  // not summed up
  std::array<Exemplar, kBounds.size()> exemplars{};    // the slowest of each
  std::uint64_t count = 0, unknown = 0;
  std::int64_t sum = 0;
  std::map<std::string_view, std::uint64_t> outcomes;
  std::map<model::Label, std::int64_t> labels;
};

class Text {
 public:
  explicit Text(const Metrics& m) : m_(m) {
    constexpr std::int64_t kStep = 1'000'000;  // Prometheus keeps milliseconds
    if (m.realtime && formats::known(m.end)) time_ = " " + seconds(m.realtime(m.end) / kStep * kStep);
  }
  void family(const char* name, const char* type, const char* unit, const char* help) {
    out_ += std::string("# TYPE ") + name + " " + type + "\n";
    if (*unit != 0) out_ += std::string("# UNIT ") + name + " " + unit + "\n";
    out_ += std::string("# HELP ") + name + " " + help + "\n";
  }
  void sample(const std::string& name, const std::string& labels, const std::string& value,
              const std::string& exemplar = {}) {
    out_ += name + (labels.empty() ? "" : "{" + labels + "}") + " " + value + time_ + exemplar + "\n";
  }
  std::string exemplar(const Exemplar& e) const {
    if (e.duration < 0) return {};
    std::string out = " # {trace_id=\"" + model::trace_hex(e.of.context) + "\",span_id=\"" +
                      model::hex_of(e.of.context.span) + "\"} " + seconds(e.duration);
    if (m_.realtime) out += " " + seconds(m_.realtime(m_.table.rows.start(e.of.row)));
    return out;
  }
  std::string done() { return out_ + "# EOF\n"; }

 private:
  const Metrics& m_;
  std::string time_, out_;
};

std::map<std::string, Series> series_of(const Metrics& m) {
  std::map<std::string, Series> out;
  for (const Measured& one : m.requests) {
    const Request row = m.table.rows[one.row];
    const std::string_view route = m.table.texts[row.route], service = m.table.texts[row.comm];
    const std::string labels = "service=" + quoted(service.empty() ? "unknown" : service) +
                               ",role=" + quoted(model::name_of(row.role)) +
                               ",method=" + quoted(method_of(m.table.texts[row.method])) +
                               ",route=" + quoted(route.empty() ? "unknown" : route);
    Series& s = out[labels];
    ++s.outcomes[model::name_of(row.outcome)];
    if (!row.has_duration) {
      ++s.unknown;
      continue;
    }
    const std::int64_t duration = row.duration.count();
    const auto bucket = static_cast<std::size_t>(
        std::find_if(kBounds.begin(), kBounds.end(), [&](const auto& b) { return duration <= b.first; }) -
        kBounds.begin());
    ++s.counts[bucket];
    ++s.count;
    s.sum += duration;
    if (duration > s.exemplars[bucket].duration) s.exemplars[bucket] = {duration, one};
    for (const model::Part& part : m.table.partitions.parts(row.id)) s.labels[part.label] += part.time;
  }
  return out;
}

}  // namespace

std::string openmetrics(const Metrics& m) {
  const std::map<std::string, Series> all = series_of(m);
  Text text(m);
  text.family("tailcap_request_duration_seconds", "histogram", "seconds",
              "From a request's first byte to its response's last.");
  for (const auto& [labels, s] : all) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i)
      text.sample("tailcap_request_duration_seconds_bucket", labels + ",le=\"" + kBounds[i].second + "\"",
                  std::to_string(below += s.counts[i]), text.exemplar(s.exemplars[i]));
    text.sample("tailcap_request_duration_seconds_sum", labels, seconds(s.sum));
    text.sample("tailcap_request_duration_seconds_count", labels, std::to_string(s.count));
  }
  text.family("tailcap_requests", "counter", "", "Requests by outcome, those of unknown duration included.");
  for (const auto& [labels, s] : all)
    for (const auto& [outcome, n] : s.outcomes)
      text.sample("tailcap_requests_total", labels + ",outcome=" + quoted(outcome), std::to_string(n));
  text.family("tailcap_requests_unmeasured", "counter", "", "Requests whose duration is not known.");
  for (const auto& [labels, s] : all)
    text.sample("tailcap_requests_unmeasured_total", labels, std::to_string(s.unknown));
  text.family("tailcap_request_label_seconds", "counter", "seconds", "Where the time of requests went, by label.");
  for (const auto& [labels, s] : all)
    for (const auto& [label, ns] : s.labels)
      text.sample("tailcap_request_label_seconds_total", labels + ",label=" + quoted(model::name_of(label)),
                  seconds(ns));
  text.family("tailcap_lost_events", "counter", "", "Events that happened and are not in the capture.");
  text.sample("tailcap_lost_events_total", "", std::to_string(m.lost_events));
  return text.done();
}

}  // namespace tailcap::exports
