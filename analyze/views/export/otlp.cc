#include "analyze/views/export/otlp.h"

#include <utility>

#include "analyze/export/otlp.h"
#include "analyze/report/export/jaeger.h"
#include "analyze/report/spans/otlp.h"
#include "analyze/report/words/number.h"
#include "analyze/spans/enrichment.h"
#include "analyze/spans/wait_spans.h"
#include "analyze/views/spans/export.h"

namespace tailcap::views {

namespace {

void say_span_limits(const SpanExport& made, std::uint64_t events_left_out, std::uint64_t spans_left_out,
                     Exported& out) {
  using report::count_text;
  if (events_left_out > 0)
    out.limits.push_back(count_text(events_left_out, "event", "events") + " of spans left out: a span has at most " +
                         std::to_string(spans::Enrichment::kMaxEvents) + ", all spans together " +
                         count_text(spans::Enrichment::kMaxAll) + ".");
  if (made.facts.waits_left_out > 0)
    out.limits.push_back(count_text(made.facts.waits_left_out, "wait", "waits") +
                         " left out: a request has spans of its " + std::to_string(spans::kMostWaits) +
                         " longest at most.");
  if (made.facts.without_waits > 0)
    out.limits.push_back(count_text(made.facts.without_waits, "request has", "requests have") +
                         " no spans of waits: the first 200,000 of a capture have them.");
  if (spans_left_out > 0)
    out.limits.push_back(count_text(spans_left_out, "span", "spans") + " left out: the file has the first " +
                         count_text(report::JaegerTraces::kMost) + ". Choose among requests, for instance by --from.");
}

}  // namespace

Exported export_spans_file(const std::string& file, pipeline::Options chosen, SpanFormat format, bool waits,
                           std::string_view version, const Write& write) {
  Exported out{.what = "spans", .why = "their start is not known"};
  SpanChoice choice;
  choice.requests = std::move(chosen);
  choice.phases = true;
  choice.waits = waits;
  std::string text;
  report::OtlpText json(text, {}, version);
  report::JaegerTraces traces(version);
  std::uint64_t events_left_out = 0;
  const SpanExport made = export_spans(file, choice, [&](std::vector<model::SpanResource>& spans) {
    for (const model::SpanResource& resource : spans)
      for (const model::Span& span : resource.spans) events_left_out += span.events_left_out;
    if (format == SpanFormat::otlp) return write(exports::otlp(spans, version));
    if (format == SpanFormat::jaeger) return traces.add(spans);
    json.add(spans);
    write(text);
    text.clear();
  });
  if (format == SpanFormat::jaeger) traces.write(write);
  if (format == SpanFormat::otlp_json) {
    json.end();
    write(text);
  }
  out.damaged = made.damaged;
  out.wrong = made.wrong;
  out.requests = made.facts.requests;
  out.left_out = made.facts.not_placed;
  say_span_limits(made, events_left_out, traces.left_out(), out);
  return out;
}

}  // namespace tailcap::views
