#include "analyze/export/openmetrics.h"

#include <cstdio>
#include <map>

#include "analyze/export/metric_series.h"
#include "formats/printable.h"

namespace tailcap::exports {
namespace {

// "1.234567890": exact.
std::string seconds_text(std::int64_t ns) {
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

// As labels are written.
std::string labels_of(const SeriesKey& key) {
  return "service=" + quoted(key.service) + ",role=" + quoted(key.role) + ",method=" + quoted(key.method) +
         ",route=" + quoted(key.route);
}

class Text {
 public:
  explicit Text(const Metrics& m) : m_(m) {
    constexpr std::int64_t kStep = 1'000'000;  // Prometheus keeps milliseconds
    if (m.realtime && formats::known(m.end)) time_ = " " + seconds_text(m.realtime(m.end) / kStep * kStep);
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
  std::string exemplar(const MetricExemplar& e) const {
    if (e.duration < 0) return {};
    std::string out = " # {trace_id=\"" + model::trace_hex(e.of.context) + "\",span_id=\"" +
                      model::hex_of(e.of.context.span) + "\"} " + seconds_text(e.duration);
    if (m_.realtime) out += " " + seconds_text(m_.realtime(m_.table.rows.start(e.of.row)));
    return out;
  }
  std::string done() { return out_ + "# EOF\n"; }

 private:
  const Metrics& m_;
  std::string time_, out_;
};

}  // namespace

std::string openmetrics(const Metrics& m) {
  std::map<std::string, MetricSeries> all;
  for (auto& [key, series] : series_of(m)) all[labels_of(key)] = std::move(series);
  Text text(m);
  text.family("tailcap_request_duration_seconds", "histogram", "seconds",
              "From a request's first byte to its response's last, or until it broke off.");
  for (const auto& [labels, s] : all) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < kBounds.size(); ++i)
      text.sample("tailcap_request_duration_seconds_bucket", labels + ",le=\"" + kBounds[i].second + "\"",
                  std::to_string(below += s.counts[i]), text.exemplar(s.exemplars[i]));
    text.sample("tailcap_request_duration_seconds_sum", labels,
                seconds_text(static_cast<std::int64_t>(s.durations.sum())));
    text.sample("tailcap_request_duration_seconds_count", labels, std::to_string(s.durations.count()));
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
                  seconds_text(ns));
  text.family("tailcap_lost_events", "counter", "", "Events that happened and are not in the capture.");
  text.sample("tailcap_lost_events_total", "", std::to_string(m.lost_events));
  return text.done();
}

}  // namespace tailcap::exports
