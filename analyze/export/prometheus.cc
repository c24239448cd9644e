#include <protozero/pbf_writer.hpp>
#include <protozero/varint.hpp>

#include "analyze/export/metric_series.h"
#include "formats/printable.h"

namespace tailcap::exports {
namespace {

using protozero::pbf_writer;

// Field numbers of the published schema (client_model, metrics.proto).
namespace family {
constexpr int kName = 1, kHelp = 2, kType = 3, kMetric = 4;
constexpr int kCounter = 0, kHistogram = 4;  // MetricType
}  // namespace family
namespace metric {
constexpr int kLabel = 1, kCounter = 3, kTime = 6, kHistogram = 7;
constexpr int kName = 1, kValue = 2;  // of LabelPair
constexpr int kCount = 1;             // of Counter
}  // namespace metric
namespace histogram {
constexpr int kCount = 1, kSum = 2, kBucket = 3, kSchema = 5, kZeroThreshold = 6, kZeroCount = 7, kSpan = 12,
              kDelta = 13;
constexpr int kCumulative = 1, kUpperBound = 2, kExemplar = 3;              // of Bucket
constexpr int kOffset = 1, kLength = 2;                                     // of BucketSpan
constexpr int kLabel = 1, kValue = 2, kTime = 3, kSeconds = 1, kNanos = 2;  // of Exemplar, and of a time
}  // namespace histogram

double seconds(std::int64_t ns) { return static_cast<double>(ns) / 1e9; }

void add_label(pbf_writer& out, int field, std::string_view name, std::string_view value) {
  pbf_writer pair(out, field);
  pair.add_string(metric::kName, name.data(), name.size());
  pair.add_string(metric::kValue, formats::printable(value));
}

class Writer {
 public:
  explicit Writer(const Metrics& m) : m_(m) {
    if (m.realtime && formats::known(m.end)) time_ = m.realtime(m.end) / 1'000'000;
  }

  // fill: adds the metrics of a family.
  template <class Fill>
  void add(const char* name, const char* help, int type, Fill fill) {
    std::string content;
    pbf_writer out(content);
    out.add_string(family::kName, name);
    out.add_string(family::kHelp, help);
    out.add_enum(family::kType, type);
    fill(out);
    protozero::write_varint(std::back_inserter(out_), content.size());
    out_ += content;
  }

  // key: null for a metric without labels.
  void counter(pbf_writer& family, const SeriesKey* key, std::string_view name, std::string_view value, double count) {
    pbf_writer out(family, family::kMetric);
    if (key) add_key(out, *key);
    if (!name.empty()) add_label(out, metric::kLabel, name, value);
    pbf_writer(out, metric::kCounter).add_double(metric::kCount, count);
    if (time_ > 0) out.add_int64(metric::kTime, time_);
  }

  void histogram(pbf_writer& family, const SeriesKey& key, const MetricSeries& s) {
    pbf_writer out(family, family::kMetric);
    add_key(out, key);
    {
      pbf_writer h(out, metric::kHistogram);
      h.add_uint64(histogram::kCount, s.durations.count());
      h.add_double(histogram::kSum, seconds(static_cast<std::int64_t>(s.durations.sum())));
      std::uint64_t below = 0;
      for (std::size_t i = 0; i + 1 < kBounds.size(); ++i) {  // the last, without a bound, is the count
        pbf_writer bucket(h, histogram::kBucket);
        bucket.add_uint64(histogram::kCumulative, below += s.counts[i]);
        bucket.add_double(histogram::kUpperBound, seconds(kBounds[i].first));
        add_exemplar(bucket, s.exemplars[i]);
      }
      {
        pbf_writer last(h, histogram::kBucket);
        last.add_uint64(histogram::kCumulative, s.durations.count());
        last.add_double(histogram::kUpperBound, std::numeric_limits<double>::infinity());
        add_exemplar(last, s.exemplars.back());
      }
      add_native(h, s);
    }
    if (time_ > 0) out.add_int64(metric::kTime, time_);
  }

  std::string done() { return std::move(out_); }

 private:
  static void add_key(pbf_writer& out, const SeriesKey& key) {
    add_label(out, metric::kLabel, "method", key.method);
    add_label(out, metric::kLabel, "role", key.role);
    add_label(out, metric::kLabel, "route", key.route);
    add_label(out, metric::kLabel, "service", key.service);
  }

  void add_exemplar(pbf_writer& bucket, const MetricExemplar& e) const {
    if (e.duration < 0) return;
    pbf_writer out(bucket, histogram::kExemplar);
    add_label(out, histogram::kLabel, "trace_id", model::trace_hex(e.of.context));
    add_label(out, histogram::kLabel, "span_id", model::hex_of(e.of.context.span));
    out.add_double(histogram::kValue, seconds(e.duration));
    if (!m_.realtime) return;
    const std::int64_t at = m_.realtime(m_.table.rows.start(e.of.row));
    pbf_writer time(out, histogram::kTime);
    time.add_int64(histogram::kSeconds, at / 1'000'000'000);
    time.add_int32(histogram::kNanos, static_cast<std::int32_t>(at % 1'000'000'000));
  }

  // Runs of buckets that follow each other are spans; counts are differences to the bucket before.
  static void add_native(pbf_writer& h, const MetricSeries& s) {
    h.add_sint32(histogram::kSchema, formats::DurationSketch::kSchema);
    h.add_double(histogram::kZeroThreshold, 1e-9);  // no duration lies between 0 and this
    h.add_uint64(histogram::kZeroCount, s.durations.zero());
    const auto& buckets = s.durations.buckets();
    std::int32_t next = 0;
    for (auto at = buckets.begin(); at != buckets.end();) {
      auto end = at;
      std::uint32_t length = 0;
      while (end != buckets.end() && end->first == at->first + static_cast<std::int32_t>(length)) ++end, ++length;
      pbf_writer span(h, histogram::kSpan);
      span.add_sint32(histogram::kOffset, at->first - next);
      span.add_uint32(histogram::kLength, length);
      next = at->first + static_cast<std::int32_t>(length);
      at = end;
    }
    std::int64_t before = 0;
    for (const auto& [bucket, n] : buckets) {
      h.add_sint64(histogram::kDelta, static_cast<std::int64_t>(n) - before);
      before = static_cast<std::int64_t>(n);
    }
  }

  const Metrics& m_;
  std::int64_t time_ = 0;  // ms since 1970; 0: not known
  std::string out_;
};

}  // namespace

std::string prometheus(const Metrics& m) {
  const std::map<SeriesKey, MetricSeries> all = series_of(m);
  Writer out(m);
  out.add("tailcap_request_duration_seconds",
          "From a request's first byte to its response's last, or until it broke off.", family::kHistogram,
          [&](pbf_writer& f) {
            for (const auto& [key, s] : all) out.histogram(f, key, s);
          });
  out.add("tailcap_requests_total", "Requests by outcome, those of unknown duration included.", family::kCounter,
          [&](pbf_writer& f) {
            for (const auto& [key, s] : all)
              for (const auto& [outcome, n] : s.outcomes)
                out.counter(f, &key, "outcome", outcome, static_cast<double>(n));
          });
  out.add("tailcap_requests_unmeasured_total", "Requests whose duration is not known.", family::kCounter,
          [&](pbf_writer& f) {
            for (const auto& [key, s] : all) out.counter(f, &key, "", "", static_cast<double>(s.unknown));
          });
  out.add("tailcap_request_label_seconds_total", "Where the time of requests went, by label.", family::kCounter,
          [&](pbf_writer& f) {
            for (const auto& [key, s] : all)
              for (const auto& [label, ns] : s.labels)
                out.counter(f, &key, "label", model::name_of(label), seconds(ns));
          });
  out.add("tailcap_lost_events_total", "Events that happened and are not in the capture.", family::kCounter,
          [&](pbf_writer& f) { out.counter(f, nullptr, "", "", static_cast<double>(m.lost_events)); });
  return out.done();
}

}  // namespace tailcap::exports
